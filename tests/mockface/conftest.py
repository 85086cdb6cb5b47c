"""A hand for the tests: the emulator in this process, called in the words of any version."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from mockface.clock import Clock
from mockface.engine import Engine
from mockface.images import portrait
from mockface.operations import VERSIONS
from mockface.service import Service
from mockface.wire import Request, Response

KEY = "a-key"
NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z
DEVICE = "0d2b9c1e-6a55-4a0b-9d1c-2f8f3f8f9a10"
OPTIONS: dict[str, Any] = {"livenessOperationMode": "Passive", "deviceCorrelationId": DEVICE}


@dataclass
class Answer:
    """A response, with what tests ask of it."""

    response: Response

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def headers(self) -> dict[str, str]:
        return self.response.headers

    @property
    def json(self) -> Any:
        return json.loads(self.response.body)

    @property
    def code(self) -> str:
        """The error's code; it has to stand in the header too."""
        code: str = self.json["error"]["code"]
        assert self.headers["x-ms-error-code"] == code
        assert self.json["error"]["message"]
        return code


PREVIEWS = ["v1.1-preview.1", "v1.2-preview.1"]  # those with audits
LATER = ["v1.2", "v1.3-preview.1"]  # those without
GA = {False: "/detectLiveness-sessions", True: "/detectLivenessWithVerify-sessions"}
PREVIEW = {
    False: "/detectLiveness/singleModal/sessions",
    True: "/detectLivenessWithVerify/singleModal/sessions",
}
CLIENT = {False: "/detectLiveness/singleModal", True: "/detectLivenessWithVerify/singleModal"}


@cache
def alice() -> bytes:
    """The reference image of most tests; drawing it anew would take most of their time."""
    return portrait(1)


class Face:
    """Calls one version of the API; True stands for the sessions with verification."""

    def __init__(self, service: Service, version: str, key: str | None = KEY) -> None:
        self.service, self.version, self.key = service, version, key
        self.preview = version in PREVIEWS
        self.paths = PREVIEW if self.preview else GA
        # What v1.1 does not know, it passes over.
        self.knows_images = version != "v1.1-preview.1"
        # As many as the other versions have.
        self.more = {"numberOfClientAttemptsAllowed": 3} if version.startswith("v1.3") else {}

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        query: str = "",
        **headers: str,
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key is not None:
            named.setdefault("ocp-apim-subscription-key", self.key)
        where = path if path.startswith("/_mock") else f"/face/{self.version}{path}"
        return Answer(self.service.handle(Request(method, where, query, named, body)))

    def post_json(self, path: str, value: object) -> Answer:
        return self.send("POST", path, json.dumps(value).encode(), content_type="application/json")

    def put_json(self, path: str, value: object) -> Answer:
        return self.send("PUT", path, json.dumps(value).encode(), content_type="application/json")

    def create(self, *, verify: bool = False, image: bytes | None = None, **options: Any) -> Answer:
        """Creates a session; one with verification gets a portrait."""
        fields = {n: v for n, v in (OPTIONS | self.more | options).items() if v is not None}
        if not verify:
            return self.post_json(self.paths[False], fields)
        return self.post_form(
            self.paths[True],
            {"Parameters": json.dumps(fields).encode()},
            {"VerifyImage": alice() if image is None else image},
        )

    def post_form(self, path: str, texts: dict[str, bytes], files: dict[str, bytes]) -> Answer:
        return self.send("POST", path, form(texts, files), content_type=FORM)

    def result(self, session_id: str, *, verify: bool = False) -> Answer:
        return self.send("GET", f"{self.paths[verify]}/{session_id}")

    def delete(self, session_id: str, *, verify: bool = False) -> Answer:
        return self.send("DELETE", f"{self.paths[verify]}/{session_id}")

    def attempt(
        self,
        token: str,
        *,
        verify: bool = False,
        files: dict[str, bytes] | None = None,
        **headers: str,
    ) -> Answer:
        body = form({"Metadata": b"{}"}, {"Content": b"RIFF"} | (files or {}))
        headers = {"content_type": FORM, "authorization": f"Bearer {token}"} | headers
        return self.send("POST", CLIENT[verify], body, **headers)

    def run(self, *, verify: bool = False, **options: Any) -> tuple[str, Answer]:
        """A session with one attempt: its id and the result."""
        created = self.create(verify=verify, **options).json
        self.attempt(created["authToken"], verify=verify)
        return created["sessionId"], self.result(created["sessionId"], verify=verify)

    def outcome(self, result: Any) -> Any:
        """The decision or the failure of the newest attempt, wherever the version has it."""
        if self.preview:
            if "result" not in result:
                return None
            body = result["result"]["response"]["body"]
            return body.get("livenessDecision") or body["error"]["code"]
        if not result["results"]["attempts"]:
            return None
        newest = result["results"]["attempts"][0]
        return newest.get("result", {}).get("livenessDecision") or newest["error"]["code"]

    def match(self, result: Any) -> Any:
        """The comparison of the newest attempt."""
        if self.preview:
            return result["result"]["response"]["body"]["verifyResult"]
        return result["results"]["attempts"][0]["result"]["verifyResult"]

    def newest(self, result: Any) -> Any:
        """The object that has the digest."""
        if self.preview:
            return result["result"]
        return result["results"]["attempts"][0]["result"]


FORM = "multipart/form-data; boundary=frontier"


def form(texts: dict[str, bytes], files: dict[str, bytes]) -> bytes:
    """A form's body."""
    parts = [(f'name="{name}"', data) for name, data in texts.items()]
    parts += [(f'name="{name}"; filename="{name}.jpg"', data) for name, data in files.items()]
    body = b"".join(
        f"--frontier\r\nContent-Disposition: form-data; {said}\r\n\r\n".encode() + data + b"\r\n"
        for said, data in parts
    )
    return body + b"--frontier--\r\n"


@pytest.fixture
def clock() -> Clock:
    return Clock(frozen_at=NOON)


@pytest.fixture
def service(clock: Clock) -> Service:
    return Service(Engine(clock=clock, seed="tests"))


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def face(service: Service, version: str) -> Face:
    return Face(service, version)
