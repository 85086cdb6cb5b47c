"""One complete session, walked through as a front end would, in nine steps.

The front end's own requests are made here; what the application and the service said to each other
in between, the emulator's journal tells.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import requests

from livegate.errors import LivegateError

if TYPE_CHECKING:
    from collections.abc import Iterator

FRONT_END: Final = "front end"
APPLICATION: Final = "application"
FACE: Final = "service"

TIMEOUT: Final = 30.0
CLIP: Final = b"RIFF\x00\x04\x00\x00WEBPVP8 " + bytes(1024)
"""Stands in for the camera's clip; the emulator does not look at it."""
BESIDE_THE_POINT: Final = ("kind", "purpose", "createdAt", "expiresAt", "verdict")
DETECT: Final = {"liveness": "detectLiveness", "livenessWithVerify": "detectLivenessWithVerify"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened.

    Attributes:
        number: 1 to 9; two rows may share one.
        source: Who spoke.
        target: To whom.
        what: In a few words.
        wire: What crossed the wire, secrets shortened.
    """

    number: int
    source: str
    target: str
    what: str
    wire: str


@dataclass(slots=True)
class Walk:
    """A walk through one session.

    Attributes:
        application: Where the application is.
        emulator: Where the emulator is.
        outcome: What the attempt is to be: a scenario of the emulator.
        reference_image: With one, the session also verifies.
        result: What the application told the front end in the end.
    """

    application: str
    emulator: str
    outcome: str
    reference_image: bytes | None = None
    result: dict[str, Any] | None = None

    def steps(self) -> Iterator[Step]:
        """The steps, as they happen.

        Raises:
            LivegateError: A step failed; with what was answered.
        """
        with requests.Session() as browser:
            yield from self._steps(browser)

    def _steps(self, browser: requests.Session) -> Iterator[Step]:
        browser.post(f"{self.application}/sign-in", {"user": "alice"}, timeout=TIMEOUT)
        base = f"{self.application}/liveness/sessions"
        seen = len(self._journal())

        image = self.reference_image
        sent = "{purpose: enter}" if image is None else f"{{purpose: enter}} + {_hash_of(image)}"
        yield Step(1, FRONT_END, APPLICATION, "starts", f"POST /liveness/sessions  {sent}")
        answer = (
            browser.post(base, json={"purpose": "enter"}, timeout=TIMEOUT)
            if image is None
            else browser.post(base, files=_form(image), timeout=TIMEOUT)
        )
        started = _body(answer, 201)
        for entry in self._journal()[seen:]:
            yield Step(2, APPLICATION, FACE, "creates, with the key", _asked(entry))
            yield Step(3, FACE, APPLICATION, "its id and a token", _answered(entry))
        yield Step(4, APPLICATION, FRONT_END, "our id, the token", f"201 {_shown(started)}")

        kind = "liveness" if image is None else "livenessWithVerify"
        path = f"/face/v1.2/{DETECT[kind]}/singleModal"
        token = started["authToken"]
        yield Step(
            5, FRONT_END, FACE, "an attempt, with the token", f"POST {path}  Bearer {_short(token)}"
        )
        attempt = requests.post(
            self.emulator + path,
            headers={"Authorization": f"Bearer {token}", "x-mockface-scenario": self.outcome},
            files=[("Content", ("video.webp", CLIP)), ("Metadata", (None, b"{}"))],
            timeout=TIMEOUT,
        )
        report = _report_of(attempt)
        yield Step(
            6, FACE, FRONT_END, "done, no verdict", f"{attempt.status_code} {_shown(report)}"
        )

        seen = len(self._journal())
        url = f"{base}/{started['sessionId']}"
        yield Step(7, FRONT_END, APPLICATION, "is done", f"POST …/finish  {_shown(report)}")
        answer = browser.post(f"{url}/finish", json=report, timeout=TIMEOUT)
        self.result = _body(answer, 200)
        for entry in self._journal()[seen:]:
            what = "reads the verdict" if entry["method"] == "GET" else "deletes the session"
            yield Step(8, APPLICATION, FACE, what, f"{_asked(entry)} → {entry['status']}")
        yield Step(9, APPLICATION, FRONT_END, "the verdict", f"200 {_shown(self.result)}")

    def _journal(self) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.emulator}/_mock/journal", timeout=TIMEOUT)
        entries: list[dict[str, Any]] = answer.json()["entries"]
        return entries


def _report_of(attempt: requests.Response) -> dict[str, str]:
    """What the front end's SDK would tell the page: a digest, or what went wrong.

    Raises:
        LivegateError: The emulator does not know the outcome that was asked for.
    """
    if attempt.ok:
        return {"digest": attempt.headers["x-mockface-digest"]}
    code = attempt.headers.get("x-ms-error-code", "Unexpected")
    if code == "BadArgument":
        raise LivegateError(attempt.json()["error"]["message"])
    return {"clientError": code}


def _body(answer: requests.Response, expected: int) -> dict[str, Any]:
    if answer.status_code != expected:
        raise LivegateError(f"the application answered {answer.status_code}: {answer.text}")
    body: dict[str, Any] = answer.json()
    return body


def _form(image: bytes) -> list[tuple[str, tuple[str | None, bytes]]]:
    return [("purpose", (None, b"enter")), ("referenceImage", ("reference.jpg", image))]


def _asked(entry: dict[str, Any]) -> str:
    return f"{entry['method']} {_path(entry['path'])}"


def _path(path: str) -> str:
    """The path, with the service's id of the session shortened."""
    return "/".join(_short(part) if len(part) == 36 else part for part in path.split("/"))  # noqa: PLR2004 - a UUID


def _answered(entry: dict[str, Any]) -> str:
    return f"{entry['status']} {{sessionId, authToken}}  request {_short(entry['requestId'])}"


def _shown(content: dict[str, Any]) -> str:
    """What matters of a JSON object, in one line: secrets and long words shortened."""
    parts = [
        f"{name}: {_short(value) if isinstance(value, str) else ', '.join(value)}"
        for name, value in content.items()
        if value and name not in BESIDE_THE_POINT
    ]
    return "{" + ", ".join(parts) + "}"


def _short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:8]}…"  # noqa: PLR2004 - a word, not a secret


def _hash_of(image: bytes) -> str:
    return f"referenceImage, {len(image):,} bytes, SHA-256 {hashlib.sha256(image).hexdigest()[:8]}…"
