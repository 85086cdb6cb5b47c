"""Recordings: a file with a line of JSON for each exchange, as the journal shows it.

Secrets are shortened in it, and pictures are their hashes, so it may be kept and handed on.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections import defaultdict
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mockface.journal import redaction, view
from mockface.wire import JSON, Response, error

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from mockface.journal.entries import Entry
    from mockface.wire import Request

_log = logging.getLogger("mockface")

Exchange = dict[str, Any]
"""A line: what `view.whole` gives."""

_NEEDED = {"method": str, "path": str, "query": str, "status": int, "request": dict, "answer": dict}
_HEADERS = MappingProxyType(
    {
        "content-type": "Content-Type",
        "retry-after": "Retry-After",
        "warning": "Warning",
        "apim-request-id": "apim-request-id",
        "x-ms-error-code": "x-ms-error-code",
        "x-mockface-digest": "x-mockface-digest",
    }
)
"""The headers that are played back, as they are written."""


class Recorder:
    """Writes a recording while things happen.

    Args:
        path: The file; one that exists is begun anew, but not before `begin` or the first line.

    Raises:
        OSError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        path.open("ab").close()
        self._path = path
        self._file: TextIO | None = None
        self._begun = False
        self._broken = False

    def begin(self) -> None:
        """Empties the file, once; who cannot serve after all has not lost an older recording."""
        if not self._begun:
            self._path.write_bytes(b"")
            self._begun = True

    def write(self, entry: Entry) -> None:
        """Writes a line; the journal calls it for one entry after the other.

        A disk that is full ends the recording, and says so in the log, but no answer is lost by it.
        """
        if self._broken:
            return
        try:
            self.begin()
            if self._file is None:
                self._file = self._path.open("a", encoding="ascii", buffering=1)
            self._file.write(json.dumps(view.whole(entry)) + "\n")
        except OSError as wrong:
            self._broken = True
            self.close()
            _log.error("The recording %s ends here: %s", self._path, wrong.strerror)

    def close(self) -> None:
        """Lets the file go; what comes later is added to it."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # what could not be written has been told
                file.close()


def read(path: Path) -> list[Exchange]:
    """The exchanges of a recording.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line is no exchange.
    """
    lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    return [_exchange(line, f"{path}:{at}") for at, line in enumerate(lines, 1) if line.strip()]


class Player:
    """Answers as a recording did.

    A request gets the answer that the same request got, and the next time the next one; when all
    have been given, the last one again. The same is what has method, path, query and body alike,
    secrets shortened; if no body is alike, method, path and query have to do.

    Args:
        recording: The exchanges.
    """

    def __init__(self, recording: list[Exchange]) -> None:
        self._lock = Lock()
        self._recorded: dict[tuple[str, str, str], list[Exchange]] = defaultdict(list)
        self._given: set[int] = set()
        for exchange in recording:
            place = (exchange["method"], exchange["path"].lower(), exchange["query"])
            self._recorded[place].append(exchange)

    def answer(self, request: Request) -> Response:
        """The answer to a request; a 404 if the recording has none."""
        shown = redaction.secrets(request.headers, request.query)
        query = redaction.text(request.query, shown)
        place = (request.method, request.path.lower(), query)
        known = self._recorded.get(place)
        if not known:
            return error(404, "404", f"The recording has no {request.method} {request.path}.")
        body = redaction.body(request.header("content-type") or "", request.body)
        with self._lock:
            alike = [each for each in known if each["request"].get("body") == body] or known
            fresh = [each for each in alike if id(each) not in self._given]
            chosen = fresh[0] if fresh else alike[-1]
            self._given.add(id(chosen))
        return _response(chosen)


def _response(exchange: Exchange) -> Response:
    said = exchange["answer"]
    headers = {
        _HEADERS[name]: value
        for name, value in said.get("headers", {}).items()
        if name in _HEADERS and isinstance(value, str)
    }
    content = said.get("body")
    if content is None:
        return Response(exchange["status"], b"", headers)
    kind = headers.get("Content-Type", JSON)
    if not kind.startswith(JSON) and isinstance(content, dict) and "sha256" in content:
        return Response(exchange["status"], stand_in(content), headers)
    if isinstance(content, str) and not kind.startswith(JSON):
        return Response(exchange["status"], content.encode("utf-8", "replace"), headers)
    body = json.dumps(content, separators=(",", ":")).encode("ascii")
    return Response(exchange["status"], body, headers)


def stand_in(picture: dict[str, Any]) -> bytes:
    """A drawn portrait in the place of a picture of which only the hash is left."""
    from mockface.images import portrait  # noqa: PLC0415 - few recordings have pictures

    return portrait(str(picture["sha256"])[:16])


def _exchange(line: str, where: str) -> Exchange:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError(f"{where} is no JSON") from None
    if not isinstance(said, dict):
        raise ValueError(f"{where} is no exchange")  # noqa: TRY004 - the file is wrong
    for name, kind in _NEEDED.items():
        if not isinstance(said.get(name), kind):
            raise ValueError(f"{where} is no exchange: its {name} is missing or wrong")  # noqa: TRY004 - see above
    return said
