"""The table of operations: what is served in which version, with which models.

Routing, the Flask application, faults, the journal, the support matrix and the served OpenAPI
documents are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any

from mockface.api import attempts, creating, detect, images, previews, released, v1_1, v1_3
from mockface.api import v1_2_preview as v1_2p
from mockface.api.models import Empty
from mockface.sessions.nouns import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mockface.sessions.tenant import Tenant
    from mockface.wire import Request, Response

VERSIONS = ("v1.1-preview.1", "v1.2-preview.1", "v1.2", "v1.3-preview.1")
"""All versions that are served, oldest first."""

_V1_1, _V1_2P, _V1_2, _V1_3 = VERSIONS


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation in one version.

    Attributes:
        version: The version.
        name: The same in all versions; faults and the journal speak of it.
        id: What the specification calls it.
        method: In upper case.
        path: Below `/face/{version}`; `{sessionId}` stands for a session's id.
        handler: Carries it out.
        kind: The family of sessions that it is about.
        shapes: What makes answers in this version.
        takes: The model of a JSON body, or of the options in a form.
        json: Whether the body may be JSON.
        form: The model of a form, for the documents.
        file: Whether the body may be a file.
        query: The model of the query.
        gives: The model of the answer to a success, in a list for a list; `bytes` for a file.
        status: Of that answer.
        also: Another status of a success, whose answer is empty.
        client_side: The front end calls it with the session's token, from a browser of another
            origin.
    """

    version: str
    name: str
    id: str
    method: str
    path: str
    handler: Callable[[Call], Response]
    kind: Kind = Kind.LIVENESS
    shapes: Any = None
    takes: Any = None
    json: bool = False
    form: Any = None
    file: bool = False
    query: Any = None
    gives: Any = None
    status: int = 200
    also: int | None = None
    client_side: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has found its operation and shown who it is.

    Attributes:
        operation: The operation.
        request: What arrived.
        request_id: Its `apim-request-id`.
        tenant: Whose call it is.
        session_id: The session, or the session image, that the path names, or the session that the
            client's token opens; else empty.
        loose: Whether small mistakes of the caller are overlooked.
    """

    operation: Operation
    request: Request
    request_id: str
    tenant: Tenant
    session_id: str = ""
    loose: bool = False

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self.tenant.now()


_FAMILIES = ((Kind.LIVENESS, "", ""), (Kind.VERIFY, "-with-verify", "WithVerify"))
_CREATED = {
    Kind.LIVENESS: previews.CreateLivenessSessionResult,
    Kind.VERIFY: previews.CreateLivenessWithVerifySessionResult,
}


def _preview(version: str, models: Any, takes: dict[Kind, Any], form: Any) -> Iterator[Operation]:
    """The operations on sessions in a preview, by its models and its requests."""
    for kind, suffix, word in _FAMILIES:
        verify = kind is Kind.VERIFY
        session = models.LivenessWithVerifySession if verify else models.LivenessSession
        base = f"/detectLiveness{word}/singleModal/sessions"
        one, name = f"{base}/{{sessionId}}", f"Liveness{word}Session"
        row = partial(Operation, version, kind=kind, shapes=models.Shapes())
        yield row(
            f"create{suffix}",
            f"Create{name}",
            "POST",
            base,
            previews.create_with_verify if verify else previews.create,
            takes=takes[kind],
            json=True,
            form=form if verify else None,
            gives=_CREATED[kind],
        )
        yield row(
            f"list{suffix}",
            f"Get{name}s",
            "GET",
            base,
            previews.sessions,
            query=previews.Paging,
            gives=[previews.LivenessSessionItem],
        )
        yield row(f"result{suffix}", f"Get{name}Result", "GET", one, previews.result, gives=session)
        yield row(f"delete{suffix}", f"Delete{name}", "DELETE", one, previews.delete)
        yield row(
            f"audit{suffix}",
            f"Get{name}AuditEntries",
            "GET",
            f"{one}/audit",
            previews.audit,
            query=previews.Paging,
            gives=[models.LivenessSessionAuditEntry],
        )


def _released(version: str, models: Any, takes: dict[Kind, Any], form: Any) -> Iterator[Operation]:
    """The same since v1.2: no list and no audit, and verification only as a form."""
    for kind, suffix, word in _FAMILIES:
        verify = kind is Kind.VERIFY
        session = models.LivenessWithVerifySession if verify else models.LivenessSession
        base = f"/detectLiveness{word}-sessions"
        one, name = f"{base}/{{sessionId}}", f"Liveness{word}Session"
        row = partial(Operation, version, kind=kind, shapes=models.Shapes())
        yield row(
            f"create{suffix}",
            f"Create{name}",
            "POST",
            base,
            released.create_with_verify if verify else released.create,
            takes=takes[kind],
            json=not verify,
            form=form if verify else None,
            gives=session,
        )
        yield row(f"result{suffix}", f"Get{name}Result", "GET", one, released.result, gives=session)
        yield row(f"delete{suffix}", f"Delete{name}", "DELETE", one, released.delete, status=204)


def _front_end(version: str, shapes: Any = None, body: Any = None) -> Iterator[Operation]:
    """The calls of the client's SDK; in the previews it may be given the decision, a `body`."""
    row = partial(Operation, version, client_side=True, shapes=shapes)
    yield row(
        "session-start",
        "StartSession",
        "POST",
        "/session/start",
        attempts.start,
        takes=attempts.SessionStart,
        json=True,
        gives=Empty,
    )
    for kind, suffix, word in _FAMILIES:
        yield row(
            f"attempt{suffix}",
            f"DetectLiveness{word}",
            "POST",
            f"/detectLiveness{word}/singleModal",
            attempts.attempt,
            kind=kind,
            form=attempts.AttemptForm,
            gives=body,
            status=204 if body is None else 200,
            also=None if body is None else 204,
        )
    yield row(
        "attempt-end", "EndAttempt", "POST", "/session/attempt/end", attempts.end, gives=Empty
    )


def _pictures(version: str, path: str | None) -> Iterator[Operation]:
    """Detection, and the pictures that sessions keep under this path, if they keep any."""
    if path is not None:
        yield Operation(
            version,
            "session-image",
            "GetSessionImage",
            "GET",
            f"{path}/{{sessionImageId}}",
            images.session_image,
            gives=bytes,
        )
    yield Operation(
        version,
        "detect",
        "Detect" if path is None else "DetectFromSessionImageId",
        "POST",
        "/detect",
        detect.detect,
        takes=None if path is None else detect.DetectFromSessionImageIdRequest,
        json=path is not None,
        file=True,
        query=detect.DetectQuery,
        gives=[detect.FaceDetectionResult],
    )


def _settings(version: str) -> Iterator[Operation]:
    row = partial(Operation, version)
    yield row("settings", "GetSettings", "GET", "/settings", v1_3.settings, gives=v1_3.Settings)
    yield row(
        "settings-update",
        "PatchSettings",
        "PATCH",
        "/settings",
        v1_3.update_settings,
        takes=v1_3.SettingsUpdate,
        json=True,
        gives=v1_3.Settings,
    )
    yield row(
        "client-assets-token",
        "GetClientAssetsAccessToken",
        "GET",
        "/settings/getClientAssetsAccessToken",
        v1_3.client_assets_token,
        gives=v1_3.ClientAssetsAccessTokenResponse,
    )


OPERATIONS: tuple[Operation, ...] = (
    *_preview(
        _V1_1,
        v1_1,
        {Kind.LIVENESS: creating.CreateV11, Kind.VERIFY: creating.CreateV11},
        creating.FormV11,
    ),
    *_front_end(_V1_1, v1_1.Shapes(), v1_1.LivenessResponseBody),
    *_pictures(_V1_1, None),
    *_preview(
        _V1_2P,
        v1_2p,
        {Kind.LIVENESS: creating.CreateV12Preview, Kind.VERIFY: creating.CreateVerifyV12Preview},
        creating.FormV12Preview,
    ),
    *_front_end(_V1_2P, v1_2p.Shapes(), v1_2p.LivenessResponseBody),
    *_pictures(_V1_2P, "/session/sessionImages"),
    *_released(
        _V1_2,
        released,
        {Kind.LIVENESS: creating.CreateV12, Kind.VERIFY: creating.CreateVerifyV12},
        creating.FormV12,
    ),
    *_front_end(_V1_2),
    *_pictures(_V1_2, "/sessionImages"),
    *_released(
        _V1_3,
        v1_3,
        {Kind.LIVENESS: creating.CreateV13, Kind.VERIFY: creating.CreateVerifyV13},
        creating.FormV13,
    ),
    *_settings(_V1_3),
    *_front_end(_V1_3),
    *_pictures(_V1_3, "/sessionImages"),
)
"""All operations of all versions, oldest version first."""

NAMES = tuple(dict.fromkeys(each.name for each in OPERATIONS))
"""The names that faults and the journal know."""


def matches(pattern: str, name: str) -> bool:
    """Whether a pattern such as `create` or `result*` means the operation of this name.

    A name without `-with-verify` means the operation of both kinds.
    """
    return fnmatchcase(name, pattern) or fnmatchcase(name.removesuffix("-with-verify"), pattern)


def of_version(version: str) -> list[Operation]:
    """The operations of a version by its name, in any case; empty if it is not served."""
    return [each for each in OPERATIONS if each.version == version.lower()]


class Router:
    """Finds operations by path in any case, since recorded traffic has several spellings."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._places: dict[tuple[str | None, ...], dict[str, Operation]] = {}
        for each in operations:
            path = f"/face/{each.version}{each.path}".lower()
            place = tuple(None if s.startswith("{") else s for s in path.split("/"))
            self._places.setdefault(place, {})[each.method] = each

    def find(self, path: str) -> tuple[dict[str, Operation], str]:
        """The operations at a path, by method, and the session id in the path."""
        segments = path.split("/")
        place = tuple(segment.lower() for segment in segments)
        if place in self._places:
            return self._places[place], ""
        for at in range(len(place) - 1, 0, -1):
            found = self._places.get((*place[:at], None, *place[at + 1 :]))
            if found is not None and segments[at]:
                return found, segments[at]
        return {}, ""
