"""Parses `multipart/form-data` bodies that are already in memory, with python-multipart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_MOST_PARTS = 64


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
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise ValueError("The content type names no boundary.")
    parts = _Parts()
    try:
        MultipartParser(boundary, parts.callbacks()).write(body)
    except ValueError as wrong:
        raise ValueError(f"The form is malformed: {str(wrong).rstrip('.')}.") from None
    if not parts.is_complete:
        raise ValueError("The body is cut off: the last boundary is missing.")
    return parts.found


class _Parts:
    """Collects the parts as the parser finds them."""

    def __init__(self) -> None:
        self.found: dict[str, Part] = {}
        self.is_complete = False
        self._count = 0
        self._header = self._value = self._disposition = b""
        self._data: list[bytes] = []

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._part_begin,
            "on_header_begin": self._header_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _part_begin(self) -> None:
        self._count += 1
        if self._count > _MOST_PARTS:
            raise ValueError("it has too many parts")
        self._disposition = b""
        self._data = []

    def _header_begin(self) -> None:
        self._header = self._value = b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def _part_end(self) -> None:
        options = parse_options_header(self._disposition)[1]
        if b"name" not in options:
            raise ValueError("a part has no name")
        name, filename = options[b"name"].decode("utf-8", "replace"), options.get(b"filename")
        if filename is None and b"filename*" in self._disposition.lower():
            filename = b""  # React Native names its files in this way alone
        known = None if filename is None else filename.decode("utf-8", "replace")
        self.found.setdefault(name, Part(name, known, b"".join(self._data)))

    def _end(self) -> None:
        self.is_complete = True
