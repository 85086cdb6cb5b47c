"""The two doors: :class:`Orchestrator` and :class:`AsyncOrchestrator` drive the same flows."""

from __future__ import annotations

import base64
import inspect
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from livegate import flows
from livegate.driving import adrive, drive
from livegate.errors import ConfigurationError
from livegate.plugins import Plugins
from livegate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self

    from typing_extensions import TypeIs

    from livegate.face.base import AnyFaceService, AsyncFaceService, FaceService
    from livegate.flows import SweepReport
    from livegate.session import LivenessSession, Page, SessionState, Started, StartRequest
    from livegate.stores.base import AnyStore, AsyncSessionStore, SessionStore

FACE_OPERATIONS: Final = ("create", "read", "delete", "close")
STORE_OPERATIONS: Final = (
    "insert",
    "get",
    "lookup",
    "save",
    "find",
    "due",
    "purge",
    "erase",
    "close",
)


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


def random_id() -> str:
    """A new id: 192 random bits in 32 characters that are safe in a URL."""
    return base64.urlsafe_b64encode(os.urandom(24)).decode()


class Orchestrator:
    """Runs liveness sessions, for code that waits.

    Every verb that touches one session takes its subject, a text, and answers for another subject's
    session exactly as for one that never existed. Safe to use from many threads. Every verb raises
    :class:`livegate.errors.StoreError` when the store cannot do its work.

    Args:
        settings: By default from the environment.
        face: The service; by default the Face resource that the settings name.
        store: A store, or its URI; by default the one that the settings name.
        plugins: Modules or objects with hooks, beside those that the settings name.
        clock: The time, aware, in UTC.
        new_id: A new id of 16 to 64 characters, letters, digits, ``-`` and ``_``, 128 bits of it
            random.

    Raises:
        ConfigurationError: Something is missing or does not fit; the message names it.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        face: FaceService | None = None,
        store: SessionStore | str | None = None,
        plugins: Iterable[object] = (),
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = random_id,
    ) -> None:
        self.settings = _checked(settings, clock)
        self.plugins = Plugins(plugins, self.settings.plugins)
        if face is None:
            from livegate.face.azure import AzureFace  # noqa: PLC0415 - only who needs it loads it

            face = AzureFace.from_settings(self.settings)
        _check_face(face, is_async=False)
        opened = _open(store, self.settings, self.plugins)
        if _is_async(opened):
            raise ConfigurationError(
                f"{type(opened).__name__} is an async store; use it with an AsyncOrchestrator."
            )
        self.context = flows.Context(opened, face, self.plugins, self.settings, clock, new_id)

    def start(self, request: StartRequest) -> Started:
        """Start a session: keep the intent, have the service create it, hand out the token.

        Returns:
            The session, in the state ``ready``, and the token for the front end.

        Raises:
            SubjectRequiredError: The request has no subject.
            InvalidRequestError: Another part of the request cannot be used; ``field`` names it.
            StartRefusedError: A policy objects.
            ReferenceImageRefusedError: A policy, or the service, objects to the image.
            PolicyFailedError: A policy failed, so nothing was started.
            IdempotencyError: The key was used before and the answer cannot be given again.
            FaceError: The service did not create it. With an idempotency key, starting again
                carries on with the same session.
            StoreError: The store could not keep it; then no token is handed out.
        """
        return drive(flows.start(self.context, request))

    def get(self, session_id: str, *, subject: str) -> LivenessSession:
        """The session as it is stored; the service is not asked.

        Raises:
            SessionNotFoundError: There is none, or it is another subject's.
        """
        return drive(flows.get(self.context, session_id, subject))

    def find(
        self,
        *,
        subject: str,
        states: Iterable[SessionState] = (),
        limit: int = 20,
        cursor: str | None = None,
    ) -> Page:
        """The subject's own sessions, newest first.

        Args:
            subject: Whose.
            states: In one of these states; none for any.
            limit: The page's size, 1 to 100.
            cursor: Of the page before.

        Raises:
            SubjectRequiredError: There is no subject.
            InvalidRequestError: The states, the limit or the cursor cannot be used.
        """
        return drive(flows.find(self.context, subject, states, limit, cursor))

    def finish(
        self,
        session_id: str,
        *,
        subject: str,
        digest: str | None = None,
        client_error: str | None = None,
    ) -> LivenessSession:
        """The front end says that it is done; read the verdict from the service.

        What the client says is kept, and can only make the verdict stricter.

        Args:
            session_id: Ours.
            subject: Whose it has to be.
            digest: What the front end's SDK resolved with.
            client_error: What it rejected with, such as ``CameraPermissionDenied``.

        Returns:
            The session with its verdict, or ``awaiting_result`` as long as the service has none.

        Raises:
            InvalidRequestError: The digest or the error is nothing that a client can say.
            SessionNotFoundError: There is none, or it is another subject's.
            TransitionError: The service has not created the session yet.
            FaceError: The service did not say; what the client said is kept, so ask again.
        """
        return drive(flows.finish(self.context, session_id, subject, digest, client_error))

    def read_result(self, session_id: str, *, subject: str) -> LivenessSession:
        """Ask the service for news of an open session.

        Raises:
            SessionNotFoundError: There is none, or it is another subject's.
            TransitionError: The service has not created the session yet.
            FaceError: The service did not say; the session stays as it is.
        """
        return drive(flows.read_result(self.context, session_id, subject))

    def cancel(self, session_id: str, *, subject: str) -> LivenessSession:
        """End a session that is not wanted any more, here and at the service; else do nothing.

        Raises:
            SessionNotFoundError: There is none, or it is another subject's.
        """
        return drive(flows.cancel(self.context, session_id, subject))

    def expire(self, session_id: str, *, subject: str) -> LivenessSession:
        """Close a session whose time is over; one whose time is not over stays as it is.

        Raises:
            SessionNotFoundError: There is none, or it is another subject's.
            FaceError: The service may have a result and did not say.
        """
        return drive(flows.expire(self.context, session_id, subject))

    def refresh(self, session_id: str, *, subject: str) -> LivenessSession:
        """Do for a session what is due: read an awaited result, close one whose time is over.

        Raises:
            SessionNotFoundError: There is none, or it is another subject's.
            FaceError: The service may have a result and did not say.
        """
        return drive(flows.refresh(self.context, session_id, subject))

    def delete_remote(self, session_id: str, *, subject: str) -> LivenessSession:
        """Have the service delete its session if it is needed no more and the time has come.

        Returns:
            The session; :attr:`LivenessSession.remote` says whether the service has confirmed.

        Raises:
            SessionNotFoundError: There is none, or it is another subject's.
        """
        return drive(flows.delete_remote(self.context, session_id, subject))

    def consume(self, session_id: str, *, subject: str, purpose: str) -> LivenessSession:
        """Use the verdict, once, for the purpose that it was made for.

        Of any number of callers at the same moment exactly one succeeds.

        Raises:
            SessionNotFoundError: There is none, or it is another subject's.
            TransitionError: There is no verdict, it was used before, or it is for another purpose.
        """
        return drive(flows.consume(self.context, session_id, subject, purpose))

    def sweep(self, limit: int = 100) -> SweepReport:
        """Look after sessions that nobody calls for: crashed, expired, or not yet deleted.

        Run it every minute or so, from as many processes as you like.

        Args:
            limit: How many sessions at most, 1 to 10000.

        Raises:
            InvalidRequestError: The limit is out of range.
            StoreError: The store cannot be asked.
        """
        return drive(flows.sweep(self.context, limit))

    def close(self) -> None:
        """Let go of the store and of the service. Closing twice is no error."""
        drive(self.context.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncOrchestrator:
    """Runs liveness sessions, for code in an event loop: the same verbs, awaited.

    One for each event loop, since connections to the service belong to one. A sync store is used
    through worker threads. See :class:`Orchestrator`.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        face: AsyncFaceService | None = None,
        store: AnyStore | str | None = None,
        plugins: Iterable[object] = (),
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = random_id,
    ) -> None:
        self.settings = _checked(settings, clock)
        self.plugins = Plugins(plugins, self.settings.plugins)
        if face is None:
            from livegate.face.azure import AsyncAzureFace  # noqa: PLC0415 - only who needs it

            face = AsyncAzureFace.from_settings(self.settings)
        _check_face(face, is_async=True)
        opened = _open(store, self.settings, self.plugins)
        if not _is_async(opened):
            from livegate.stores.threads import ThreadedStore  # noqa: PLC0415 - only for these

            opened = ThreadedStore(opened)
        self.context = flows.Context(opened, face, self.plugins, self.settings, clock, new_id)

    async def start(self, request: StartRequest) -> Started:
        """See :meth:`Orchestrator.start`."""
        return await adrive(flows.start(self.context, request))

    async def get(self, session_id: str, *, subject: str) -> LivenessSession:
        """See :meth:`Orchestrator.get`."""
        return await adrive(flows.get(self.context, session_id, subject))

    async def find(
        self,
        *,
        subject: str,
        states: Iterable[SessionState] = (),
        limit: int = 20,
        cursor: str | None = None,
    ) -> Page:
        """See :meth:`Orchestrator.find`."""
        return await adrive(flows.find(self.context, subject, states, limit, cursor))

    async def finish(
        self,
        session_id: str,
        *,
        subject: str,
        digest: str | None = None,
        client_error: str | None = None,
    ) -> LivenessSession:
        """See :meth:`Orchestrator.finish`."""
        return await adrive(flows.finish(self.context, session_id, subject, digest, client_error))

    async def read_result(self, session_id: str, *, subject: str) -> LivenessSession:
        """See :meth:`Orchestrator.read_result`."""
        return await adrive(flows.read_result(self.context, session_id, subject))

    async def cancel(self, session_id: str, *, subject: str) -> LivenessSession:
        """See :meth:`Orchestrator.cancel`."""
        return await adrive(flows.cancel(self.context, session_id, subject))

    async def expire(self, session_id: str, *, subject: str) -> LivenessSession:
        """See :meth:`Orchestrator.expire`."""
        return await adrive(flows.expire(self.context, session_id, subject))

    async def refresh(self, session_id: str, *, subject: str) -> LivenessSession:
        """See :meth:`Orchestrator.refresh`."""
        return await adrive(flows.refresh(self.context, session_id, subject))

    async def delete_remote(self, session_id: str, *, subject: str) -> LivenessSession:
        """See :meth:`Orchestrator.delete_remote`."""
        return await adrive(flows.delete_remote(self.context, session_id, subject))

    async def consume(self, session_id: str, *, subject: str, purpose: str) -> LivenessSession:
        """See :meth:`Orchestrator.consume`."""
        return await adrive(flows.consume(self.context, session_id, subject, purpose))

    async def sweep(self, limit: int = 100) -> SweepReport:
        """See :meth:`Orchestrator.sweep`."""
        return await adrive(flows.sweep(self.context, limit))

    async def close(self) -> None:
        """See :meth:`Orchestrator.close`."""
        await adrive(self.context.close())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def _checked(settings: object, clock: object) -> Settings:
    now = clock() if callable(clock) else None
    if not isinstance(now, datetime) or now.utcoffset() is None:
        raise ConfigurationError(
            "clock has to be a function that gives a time with a time zone, "
            "such as lambda: datetime.now(UTC)."
        )
    if settings is None:
        return Settings.from_env()
    if not isinstance(settings, Settings):
        raise ConfigurationError("settings has to be a Settings, such as Settings.from_env().")
    return settings


def _check_face(face: AnyFaceService, *, is_async: bool) -> None:
    name = type(face).__name__
    missing = [each for each in FACE_OPERATIONS if not callable(getattr(face, each, None))]
    if missing or not hasattr(face, "api_version"):
        raise ConfigurationError(
            f"{name} cannot be a face service: it has no {', '.join(missing or ['api_version'])}."
        )
    if inspect.iscoroutinefunction(face.create) is not is_async:
        async_one = "an async face service; use it with an AsyncOrchestrator"
        sync_one = "a sync face service and would block the event loop; use it with an Orchestrator"
        raise ConfigurationError(f"{name} is {sync_one if is_async else async_one}.")


def _open(store: AnyStore | str | None, settings: Settings, plugins: Plugins) -> AnyStore:
    if store is None:
        store = settings.require("store")
    opened = plugins.open_store(store, settings) if isinstance(store, str) else store
    if isinstance(opened, type):
        raise ConfigurationError(f"{opened.__name__} is a class; hand over an object of it.")
    missing = [name for name in STORE_OPERATIONS if not callable(getattr(opened, name, None))]
    if missing:
        raise ConfigurationError(
            f"{type(opened).__name__} cannot be a store: it has no {', '.join(missing)}."
        )
    return opened


def _is_async(store: AnyStore) -> TypeIs[AsyncSessionStore]:
    return inspect.iscoroutinefunction(store.get)
