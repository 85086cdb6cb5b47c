"""One complete session, step by step, as a front end runs it.

The front end's own requests are made here; those between the application and the service are read
from the emulator's journal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import requests

from livegate.errors import ConfigurationError, LivegateError

if TYPE_CHECKING:
    from collections.abc import Iterator

FRONT_END: Final = "front end"
APPLICATION: Final = "application"
FACE: Final = "service"

TIMEOUT: Final = 30.0
CLIP: Final = b"RIFF\x00\x04\x00\x00WEBPVP8 " + bytes(1024)
"""In place of the camera's clip; the emulator takes the outcome from a header."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened.

    Attributes:
        number: 1 to 11; two rows may share one.
        source: Who sent it.
        target: To whom.
        what: In a few words.
        wire: What was sent, secrets shortened.
    """

    number: int
    source: str
    target: str
    what: str
    wire: str


@dataclass(slots=True)
class Walk:
    """One session, from its start to the use of its verdict.

    Attributes:
        application: The URL of the application.
        emulator: The URL of the emulator.
        title: What the user wants to do, and who is in front of the camera.
        request: The JSON body of the start: the purpose, and the transaction if there is one.
        route: The path in the application that needs the verdict.
        outcome: What the attempt will be: a scenario of the emulator.
        result: The public view of the session in the end.
        response: Of the application's route, with its status.
    """

    application: str
    emulator: str
    title: str
    request: dict[str, str]
    route: str
    outcome: str
    result: dict[str, Any] = field(default_factory=dict)
    response: dict[str, Any] = field(default_factory=dict)

    def steps(self) -> Iterator[Step]:
        """The steps, each when it has happened.

        Raises:
            LivegateError: A step failed; the message has the response.
        """
        with requests.Session() as browser:
            yield from self._steps(browser)

    def _steps(self, browser: requests.Session) -> Iterator[Step]:
        browser.post(f"{self.application}/sign-in", {"user": "alice"}, timeout=TIMEOUT)
        base = f"{self.application}/liveness/sessions"
        seen = len(self._journal())

        sent = _show(self.request)
        yield Step(1, FRONT_END, APPLICATION, "starts", f"POST /liveness/sessions  {sent}")
        started = _body(browser.post(base, json=self.request, timeout=TIMEOUT), 201)
        created = self._journal()[seen:]
        for entry in created:
            what = "creates, with the portrait" if "Verify" in entry["path"] else "creates"
            yield Step(2, APPLICATION, FACE, what, _request(entry))
            yield Step(3, FACE, APPLICATION, "its id and a token", _response(entry))
        received = _show(started, "sessionId", "state", "authToken")
        yield Step(4, APPLICATION, FRONT_END, "our id, the token", f"201 {received}")

        path = created[-1]["path"].replace("-sessions", "/singleModal")
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
        report = _report(attempt)
        yield Step(6, FACE, FRONT_END, "done, no verdict", f"{attempt.status_code} {_show(report)}")

        seen = len(self._journal())
        url = f"{base}/{started['sessionId']}"
        yield Step(7, FRONT_END, APPLICATION, "is done", f"POST …/finish  {_show(report)}")
        self.result = _body(browser.post(f"{url}/finish", json=report, timeout=TIMEOUT), 200)
        for entry in self._journal()[seen:]:
            what = "reads the result" if entry["method"] == "GET" else "deletes the session"
            yield Step(8, APPLICATION, FACE, what, f"{_request(entry)} → {entry['status']}")
        received = _show(self.result, "sessionId", "state", "reasons", "next")
        yield Step(9, APPLICATION, FRONT_END, "the verdict", f"200 {received}")

        body = {"sessionId": started["sessionId"]}
        yield Step(
            10, FRONT_END, APPLICATION, "uses the verdict", f"POST {self.route}  {_show(body)}"
        )
        used = browser.post(self.application + self.route, json=body, timeout=TIMEOUT)
        self.response = {"status": used.status_code, **used.json()}
        received = _show(used.json(), "signedIn", "paid", "code")
        yield Step(
            11,
            APPLICATION,
            FRONT_END,
            "accepts" if used.ok else "rejects",
            f"{used.status_code} {received}",
        )

    def _journal(self) -> list[dict[str, Any]]:
        response = requests.get(f"{self.emulator}/_mock/journal", timeout=TIMEOUT)
        entries: list[dict[str, Any]] = response.json()["entries"]
        return entries


def _report(attempt: requests.Response) -> dict[str, str]:
    """What the page reports after the attempt: the SDK's digest, or its error.

    Raises:
        ConfigurationError: The emulator has no such outcome.
    """
    if attempt.ok:
        return {"digest": attempt.headers["x-mockface-digest"]}
    code = attempt.headers.get("x-ms-error-code", "Unexpected")
    if code == "BadArgument":
        raise ConfigurationError(attempt.json()["error"]["message"])
    return {"clientError": code}


def _body(response: requests.Response, expected: int) -> dict[str, Any]:
    if response.status_code != expected:
        raise LivegateError(f"the application responded {response.status_code}: {response.text}")
    body: dict[str, Any] = response.json()
    return body


def _request(entry: dict[str, Any]) -> str:
    """Method and path of a journal's entry, with the service's id of the session shortened."""
    parts = (_short(part) if len(part) == 36 else part for part in entry["path"].split("/"))  # noqa: PLR2004 - a UUID
    return f"{entry['method']} {'/'.join(parts)}"


def _response(entry: dict[str, Any]) -> str:
    return f"{entry['status']} {{sessionId, authToken}}  request {_short(entry['requestId'])}"


def _show(content: dict[str, Any], *names: str) -> str:
    """The fields of a JSON object, or those with *names*, in one line, long texts shortened."""
    parts = [
        f"{name}: {', '.join(value) if isinstance(value, list) else _short(_text(value))}"
        for name, value in content.items()
        if value and (name in names or not names)
    ]
    return "{" + ", ".join(parts) + "}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:8]}…"  # noqa: PLR2004 - no secret is that short
