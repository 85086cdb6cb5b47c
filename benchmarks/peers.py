"""What is measured: mockface, and servers that people use to stand in for an API.

Peers are looked for in one folder (see README.md); those that are not there are left out.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SESSIONS = "/face/v1.2/detectLiveness-sessions"
CREATE = {
    "livenessOperationMode": "PassiveActive",
    "deviceCorrelationId": "0f2bb0b2-6a8a-4a53-9a0e-2f0d0f7d0001",
    "authTokenTimeToLiveInSeconds": 600,
}
KEY = {"Ocp-Apim-Subscription-Key": "any-key"}
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Call:
    """A request that is sent again and again."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True)
class Peer:
    """A server.

    Attributes:
        name: What the table calls it.
        remark: What it does for its answers.
        command: With `{port}` where the port belongs.
        create: The call that creates.
        read: Makes the call that reads out of what a create answered.
        warm_up: Seconds that it computes before anything is measured; virtual machines need some.
    """

    name: str
    remark: str
    command: tuple[str, ...]
    create: Call
    read: Callable[[bytes], Call]
    warm_up: float = 1.0


def face_read(created: bytes) -> Call:
    """The call that reads the result of a session that was created."""
    return Call("GET", f"{SESSIONS}/{json.loads(created)['sessionId']}", KEY)


FACE_CREATE = Call("POST", SESSIONS, JSON | KEY, json.dumps(CREATE))

_CREATED = {"sessionId": "%(id)s", "authToken": "%(token)s", "status": "NotStarted"}
_RESULT = _CREATED | {
    "sessionId": "%(asked)s",
    "modelVersion": "2024-11-15",
    "results": {"attempts": []},
}


def peers(folder: Path, scratch: Path) -> list[Peer]:
    """All that are installed.

    Args:
        folder: Where the peers are.
        scratch: Where their configuration may be written.
    """
    found = [*_mockface(), *_wiremock(folder, scratch), *_mockoon(folder, scratch), *_moto(folder)]
    return [peer for peer in found if all(Path(part).exists() for part in _files(peer))]


def _files(peer: Peer) -> list[str]:
    """The files that the command needs."""
    return [part for part in peer.command if part.startswith("/")]


def _mockface() -> list[Peer]:
    flask = (
        "import sys, waitress; from mockface import create_app; "
        "waitress.serve(create_app(), host='127.0.0.1', port=int(sys.argv[1]), threads=8)"
    )
    return [
        Peer(
            "mockface serve",
            "keeps state, signs tokens, journal",
            (sys.executable, "-m", "mockface", "serve", "--port", "{port}"),
            FACE_CREATE,
            face_read,
        ),
        Peer(
            "mockface in Flask under waitress",
            "the same, behind a server for WSGI",
            (sys.executable, "-c", flask, "{port}"),
            FACE_CREATE,
            face_read,
        ),
    ]


def _wiremock(folder: Path, scratch: Path) -> list[Peer]:
    """Templates that draw an id and a token; it keeps no state."""
    mappings = scratch / "wiremock" / "mappings"
    mappings.mkdir(parents=True, exist_ok=True)
    words = {
        "id": "{{randomValue type='UUID'}}",
        "token": "{{randomValue length=43 type='ALPHANUMERIC'}}",
        "asked": "{{request.pathSegments.[3]}}",
    }
    for name, match, body in (
        ("create", {"method": "POST", "urlPath": SESSIONS}, _CREATED),
        ("read", {"method": "GET", "urlPathPattern": f"{SESSIONS}/[^/]+"}, _RESULT),
    ):
        answer = {
            "status": 200,
            "headers": JSON,
            "transformers": ["response-template"],
            "body": json.dumps(body) % words,
        }
        (mappings / f"{name}.json").write_text(json.dumps({"request": match, "response": answer}))
    jars = sorted(folder.glob("node_modules/wiremock/build/wiremock-standalone-*.jar"))
    return [
        Peer(
            "WireMock",
            "templates, no state, journal on",
            (
                *("java", "-jar", str(jar), "--port", "{port}", "--bind-address", "127.0.0.1"),
                *("--root-dir", str(mappings.parent), "--disable-banner"),
            ),
            FACE_CREATE,
            face_read,
            warm_up=5.0,
        )
        for jar in jars[-1:]
    ]


def _mockoon(folder: Path, scratch: Path) -> list[Peer]:
    """Templates too; the data file is what its editor writes, with the defaults left out."""
    words = {
        "id": "{{faker 'string.uuid'}}",
        "token": "{{faker 'string.alphanumeric' 43}}",
        "asked": "{{urlParam 'id'}}",
    }
    path = SESSIONS.removeprefix("/")
    routes = [
        _mockoon_route("1", "post", path, json.dumps(_CREATED) % words),
        _mockoon_route("2", "get", f"{path}/:id", json.dumps(_RESULT) % words),
    ]
    data = scratch / "mockoon.json"
    data.write_text(
        json.dumps(
            {
                "uuid": "00000000-0000-4000-8000-000000000000",
                "lastMigration": 33,
                "name": "face",
                "port": 3000,
                "hostname": "127.0.0.1",
                "routes": routes,
                "rootChildren": [{"type": "route", "uuid": route["uuid"]} for route in routes],
            }
        )
    )
    program = folder / "node_modules/@mockoon/cli/bin/run.js"
    return [
        Peer(
            "Mockoon",
            "templates, no state",
            (
                *("node", str(program), "start", "--data", str(data), "--port", "{port}"),
                *("--hostname", "127.0.0.1", "--disable-log-to-file", "--repair"),
            ),
            FACE_CREATE,
            face_read,
            warm_up=3.0,
        )
    ]


def _mockoon_route(number: str, method: str, endpoint: str, body: str) -> dict[str, object]:
    return {
        "uuid": f"00000000-0000-4000-8000-00000000000{number}",
        "type": "http",
        "method": method,
        "endpoint": endpoint,
        "responses": [
            {
                "uuid": f"00000000-0000-4000-8000-00000000001{number}",
                "statusCode": 200,
                "headers": [{"key": name, "value": value} for name, value in JSON.items()],
                "bodyType": "INLINE",
                "body": body,
                "default": True,
            }
        ],
    }


def _moto(folder: Path) -> list[Peer]:
    """It has no liveness sessions; these two calls of the same service come closest."""
    start = json.dumps({"CollectionId": "c", "Video": {"S3Object": {"Bucket": "b", "Name": "n"}}})
    return [
        Peer(
            "moto's server",
            "keeps state; start and get of a face search",
            (str(folder / "moto/bin/moto_server"), "-p", "{port}"),
            Call("POST", "/", _rekognition("StartFaceSearch"), start),
            lambda created: Call("POST", "/", _rekognition("GetFaceSearch"), created.decode()),
        )
    ]


def _rekognition(operation: str) -> dict[str, str]:
    scope = "a/20260101/us-east-1/rekognition/aws4_request"
    return {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"RekognitionService.{operation}",
        "X-Amz-Date": "20260101T000000Z",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
    }
