"""The three calls to the service, written once for both colours.

Why the repeating is done here, and not by azure-core's retry policy: that one sleeps for as long
as any ``Retry-After`` says, also a ``POST``'s, and asks again after a create that may have been
billed. Here a create is asked once, and who names a time to wait is believed and not waited for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from livegate.driving import ask
from livegate.errors import FaceAnswerError
from livegate.face.dialects import dialect_of
from livegate.face.dialects.wire import about_session
from livegate.face.failures import bad_answer, failure_of
from livegate.face.replies import Call, NoReply, Reply, Silence, parse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from livegate.driving import Flow
    from livegate.face.base import FaceSession, FaceSessionRequest
    from livegate.face.dialects.reading import Json
    from livegate.face.dialects.wire import WireRequest
    from livegate.face.replies import Answer
    from livegate.session import Outcome, SessionKind

T = TypeVar("T")

_FAULTS: Final = frozenset({500, 502, 503, 504})
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls, over a way to exchange one request for one answer.

    Attributes:
        api_version: That sessions are created with.
        retries: How often a read or a delete is repeated.
        exchange: Sends one request in the words of an API version; it raises nothing that the
            service or the way to it could be blamed for, and ends within a bounded time.
        pause: Waits for some seconds.

    Raises:
        ConfigurationError: Nobody here speaks *api_version*.
    """

    api_version: str
    retries: int
    exchange: Callable[[str, WireRequest], Answer | Awaitable[Answer]]
    pause: Callable[[float], Awaitable[None] | None]

    def __post_init__(self) -> None:
        dialect_of(self.api_version)

    def create(self, request: FaceSessionRequest) -> Flow[FaceSession]:
        """See :meth:`livegate.face.base.FaceService.create`."""
        dialect = dialect_of(self.api_version)
        wire = dialect.create(request)
        reply = yield from self._reply_to(Call.CREATE, self.api_version, wire)
        return _understood(reply, dialect.created)

    def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Flow[Outcome]:
        """See :meth:`livegate.face.base.FaceService.read`."""
        dialect = dialect_of(api_version)
        wire = about_session("GET", dialect.path_of(kind), remote_id)
        reply = yield from self._reply_to(Call.READ, api_version, wire)
        return _understood(reply, lambda body: dialect.outcome(body, remote_id))

    def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> Flow[None]:
        """See :meth:`livegate.face.base.FaceService.delete`."""
        wire = about_session("DELETE", dialect_of(api_version).path_of(kind), remote_id)
        yield from self._reply_to(Call.DELETE, api_version, wire)

    def _reply_to(self, call: Call, api_version: str, wire: WireRequest) -> Flow[Reply]:
        answer = yield from self._exchange(api_version, wire)
        for repeat in range(0 if call is Call.CREATE else self.retries):
            if not _is_passing(answer):
                break
            yield from ask(self.pause(min(_FIRST_PAUSE * 2**repeat, _LONGEST_PAUSE)))
            answer = yield from self._exchange(api_version, wire)
        failure = failure_of(call, answer)
        if failure is not None:
            raise failure
        assert isinstance(answer, Reply)  # noqa: S101 - no reply is always a failure
        return answer

    def _exchange(self, api_version: str, wire: WireRequest) -> Flow[Answer]:
        return ask(self.exchange(api_version, wire))


def _understood(reply: Reply, read: Callable[[Json], T]) -> T:
    """What *read* makes of the body; an error also says which answer could not be understood."""
    try:
        return read(parse(reply))
    except FaceAnswerError as error:
        raise bad_answer(reply, str(error)) from None


def _is_passing(answer: Answer) -> bool:
    """Whether the same call may well succeed a moment later.

    A time-out is not among it: it has cost the caller all the time that one try has.
    """
    if isinstance(answer, NoReply):
        return answer.why is Silence.LOST
    return answer.status in _FAULTS and answer.retry_after is None
