"""Parses a multipart form in memory, so that no image is written to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from livegate.errors import InvalidRequestError, MissingDependencyError
from livegate.http._fields import check_name

if TYPE_CHECKING:
    from collections.abc import Collection


def parse_form(content_type: str, data: bytes, known: Collection[str]) -> dict[str, bytes]:
    """The parts of a form by their names, whether they have a file name or not.

    Args:
        content_type: The header, for the boundary.
        data: The whole body.
        known: The names that are expected.

    Raises:
        InvalidRequestError: The form is broken, or a part is unknown or there twice.
        MissingDependencyError: The library is not installed.
    """
    try:
        from python_multipart import multipart  # noqa: PLC0415 - only forms need it
    except ModuleNotFoundError as error:
        raise MissingDependencyError("python-multipart", "flask") from error
    parts = _Parts(known, multipart.parse_options_header)
    try:
        boundary = multipart.parse_options_header(content_type)[1][b"boundary"]
        multipart.MultipartParser(boundary, parts.callbacks()).write(data)
    except (ValueError, KeyError) as error:
        raise _broken() from error
    if not parts.is_complete:
        raise _broken()
    return {name: bytes(content) for name, content in parts.contents.items()}


class _Parts:
    """Collects the parts as the parser finds them."""

    def __init__(self, known: Collection[str], parse_options: Any) -> None:
        self.contents: dict[str, bytearray] = {}
        self.is_complete = False
        self._known = known
        self._parse_options = parse_options
        self._header = b""
        self._value = b""
        self._disposition = b""
        self._content = bytearray()

    def callbacks(self) -> Any:
        """The ``on_...`` methods, by their names."""
        names = (name for name in dir(self) if name.startswith("on_"))
        return {name: getattr(self, name) for name in names}

    def on_part_begin(self) -> None:
        self._disposition = b""

    def on_header_begin(self) -> None:
        self._header = self._value = b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value

    def on_headers_finished(self) -> None:
        options = self._parse_options(self._disposition.decode("latin-1"))[1]
        name = options.get(b"name", b"").decode()
        check_name(name, self._known, self.contents)
        self._content = self.contents[name] = bytearray()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._content += memoryview(data)[start:end]

    def on_end(self) -> None:
        self.is_complete = True


def _broken() -> InvalidRequestError:
    return InvalidRequestError("The body is not a complete multipart form.", code="invalid_form")
