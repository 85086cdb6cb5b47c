"""What a dialect is made of: operations with their paths, and the call that an operation gets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mockface.dialects.reading import Field
    from mockface.sessions.tenant import Tenant
    from mockface.wire import Request, Response

_PARAMETER = None


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has found its operation and shown who it is.

    Attributes:
        request: What arrived.
        request_id: Its `apim-request-id`.
        tenant: Whose call it is.
        session_id: The session, or the session image, that the path names, or the session that the
            client's token opens; else empty.
        loose: Whether small mistakes of the caller are overlooked.
    """

    request: Request
    request_id: str
    tenant: Tenant
    session_id: str = ""
    loose: bool = False

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self.tenant.now()


@dataclass(frozen=True, slots=True)
class Route:
    """An operation.

    Attributes:
        name: The same in all versions; faults and the journal speak of it.
        method: In upper case.
        path: Below `/face/{version}`; `{sessionId}` stands for a session's id.
        handler: Does it.
        client_side: The front end calls it with the session's token, from a browser of another
            origin.
        operation: What the specification calls it.
        query: The fields of the query.
        json: The fields of a JSON body, and what the specification calls their object.
        form: The same of a form.
        takes_file: Whether the body may be a file.
        status: Of the answer to a success.
        gives: The shape of that answer, `[]` behind it for a list, `bytes` for a file; empty for
            none. The shapes stand in `mockface.dialects.shapes`.
        also: Another status of a success, whose answer is empty.
    """

    name: str
    method: str
    path: str
    handler: Callable[[Call], Response]
    client_side: bool = False
    operation: str = ""
    query: tuple[Field, ...] = ()
    json: Body | None = None
    form: Body | None = None
    takes_file: bool = False
    status: int = 200
    gives: str = ""
    also: int | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """What a body may hold.

    Attributes:
        name: What the specification calls its object.
        fields: Its fields.
        always: What counts besides, and no field can change.
    """

    name: str
    fields: tuple[Field, ...]
    always: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One version of the API."""

    version: str
    routes: tuple[Route, ...]


class Router:
    """Finds operations by path in any case, since recorded traffic has several spellings."""

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        self._places: dict[tuple[str | None, ...], dict[str, Route]] = {}
        for dialect in dialects:
            for route in dialect.routes:
                path = f"/face/{dialect.version}{route.path}".lower()
                place = tuple(_PARAMETER if s.startswith("{") else s for s in path.split("/"))
                self._places.setdefault(place, {})[route.method] = route

    def find(self, path: str) -> tuple[dict[str, Route], str]:
        """The operations at a path, by method, and the session id in the path."""
        segments = path.split("/")
        place = tuple(segment.lower() for segment in segments)
        if place in self._places:
            return self._places[place], ""
        for at in range(len(place) - 1, 0, -1):
            routes = self._places.get((*place[:at], _PARAMETER, *place[at + 1 :]))
            if routes is not None and segments[at]:
                return routes, segments[at]
        return {}, ""
