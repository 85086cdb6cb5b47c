"""Multipart forms, for the test clients of every framework."""

from __future__ import annotations

from typing import Any


def form(*parts: tuple[str, bytes]) -> dict[str, Any]:
    """A multipart form of file parts, written by hand: a client's library may use files."""
    lines = [
        b'--b\r\nContent-Disposition: form-data; name="%s"; filename="me"\r\n\r\n%s\r\n'
        % (name.encode(), content)
        for name, content in parts
    ]
    return {
        "data": b"".join(lines) + b"--b--\r\n",
        "content_type": "multipart/form-data; boundary=b",
    }
