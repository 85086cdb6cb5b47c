"""Reads `multipart/form-data` bodies that are already in memory (RFC 7578)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]{1,200})"|([^;\s]{1,200}))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*(name|filename)\*?=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))', re.IGNORECASE)
_MOST_PARTS = 64
_MOST_HEADER_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Part:
    """One part.

    Attributes:
        name: The field's name.
        filename: The file's name; `None` for a part that is no file.
        data: The bytes.
    """

    name: str
    filename: str | None
    data: bytes


def parse(content_type: str, body: bytes) -> dict[str, Part]:
    """Splits a body into its parts, by name; of two with one name the first counts.

    Args:
        content_type: The request's `Content-Type`, which has the boundary.
        body: The whole body.

    Raises:
        ValueError: No boundary, a body that is cut off or malformed, or too many parts. The message
            is a sentence.
    """
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise ValueError("The content type names no boundary.")
    text = boundary[1] or boundary[2]
    delimiter = b"\r\n--" + text.encode("utf-8", "surrogatepass")
    # The first boundary needs no line break before it; with one added, all look alike.
    pieces = (b"\r\n" + body).split(delimiter, _MOST_PARTS + 1)
    if len(pieces) > _MOST_PARTS + 1:
        raise ValueError("The body has too many parts.")
    if len(pieces) == 1:
        raise ValueError("The boundary of the content type is nowhere in the body.")
    if not pieces[-1].startswith(b"--"):
        raise ValueError("The body is cut off: the last boundary is missing.")
    parts: dict[str, Part] = {}
    for piece in pieces[1:-1]:
        part = _part(piece)
        parts.setdefault(part.name, part)
    return parts


def _part(piece: bytes) -> Part:
    head, found, data = piece.partition(b"\r\n\r\n")
    # Of an empty part the empty line may be left out (RFC 2046, section 5.1.1).
    whole = found or piece.endswith(b"\r\n")
    if not whole or len(head) > _MOST_HEADER_BYTES:
        raise ValueError("A part of the body has no end of its headers.")
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            said = {
                match[1].lower(): match[2] if match[2] is not None else match[3]
                for match in _PARAMETER.finditer(value)
            }
            if "name" in said:
                return Part(said["name"], said.get("filename"), data)
    raise ValueError("A part of the body has no name.")
