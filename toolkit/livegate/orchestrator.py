"""The two entry points: :class:`Orchestrator` and :class:`AsyncOrchestrator` run one source."""

from __future__ import annotations

import base64
import inspect
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from livegate import __version__, operations, worker
from livegate._sync import run_sync
from livegate.errors import ConfigurationError
from livegate.models import RequestContext, is_identifier
from livegate.operations import Runtime
from livegate.plugins.context import PluginContext
from livegate.plugins.manager import Plugins
from livegate.protocols import Notifier as NotifierProtocol
from livegate.purposes import Purposes
from livegate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Self

    from livegate.models import (
        EraseReceipt,
        LivenessSession,
        Page,
        ReferenceImage,
        SessionState,
        StartRequest,
        StartResult,
        Verdict,
    )
    from livegate.protocols import (
        AnyFaceService,
        AnyStore,
        AsyncFaceService,
        FaceService,
        Notifier,
        SessionStore,
    )
    from livegate.purposes import Purpose
    from livegate.worker import SweepReport

FACE_METHODS: Final = ("create", "read", "delete", "close")
STORE_METHODS: Final = (
    "insert",
    "get",
    "get_by_idempotency_key",
    "save",
    "find",
    "claim",
    "release",
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
    """Runs liveness sessions, for sync code.

    Every method that takes a subject responds to another subject's session exactly as to one that
    never existed. Safe to use from many threads. Every method raises
    :class:`livegate.errors.StoreError` when the store cannot do its work.

    Args:
        settings: By default from the environment.
        purposes: What sessions can be for; by default one, ``default``: liveness alone.
        face: The service; by default the Face resource that the settings name.
        store: A store, or its URI; by default the one that the settings name.
        notifiers: Destinations of events, or their URIs, beside those that the settings name.
        plugins: Modules or objects with hooks, beside those that the settings name.
        plugin_config: Configuration of plugins, by their names.
        clock: The time, aware.
        new_id: A new id of 16 to 64 letters, digits, ``-`` and ``_``, 128 bits of it random.

    Raises:
        ConfigurationError: Something is missing or does not fit; the message names it.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        purposes: Iterable[Purpose] = (),
        face: FaceService | None = None,
        store: SessionStore | str | None = None,
        notifiers: Iterable[Notifier | str] = (),
        plugins: Iterable[object] = (),
        plugin_config: Mapping[str, Mapping[str, Any]] | None = None,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = random_id,
    ) -> None:
        self.runtime = _runtime(
            settings,
            purposes,
            face,
            store,
            notifiers,
            plugins,
            plugin_config,
            clock,
            new_id,
            is_async=False,
        )

    def start(self, request: StartRequest) -> StartResult:
        """Start a session: store the intent, have the service create it, hand out the token.

        Returns:
            The session, in the state ``ready``, and the token for the front end.

        Raises:
            SubjectRequiredError: The request has no subject.
            InvalidRequestError: Another part of the request cannot be used; ``field`` names it.
            StartRejectedError: A policy rejects the start.
            ReferenceImageRejectedError: A policy, or the service, rejects the image.
            PolicyFailedError: A policy failed, so nothing was started.
            IdempotencyError: The key was used before and the response cannot be given again.
            FaceError: The service did not create it. With an idempotency key, starting again
                carries on with the same session.
            StoreError: The store could not keep it; then no token is handed out.
        """
        return run_sync(operations.start(self.runtime, request))

    def retry(
        self,
        session_id: str,
        *,
        subject: str,
        reference_image: ReferenceImage | None = None,
        context: RequestContext = RequestContext(),  # noqa: B008 - immutable
    ) -> StartResult:
        """Start a new session for the same purpose and transaction; close the earlier one.

        Each session can be retried once, and a first one ``max_retries`` times in a row.

        Raises:
            SessionNotFoundError: There is none, or it is another subject's.
            TransitionError: The session has passed, or waits for a review.
            StartRejectedError: There are no retries left, or a policy rejects the start.
            LivegateError: As for :meth:`start`.
        """
        return run_sync(
            operations.retry(self.runtime, session_id, subject, reference_image, context)
        )

    def get(self, session_id: str, *, subject: str) -> LivenessSession:
        """The session as it is stored; the service is not asked.

        Raises:
            SessionNotFoundError: There is none, or it is another subject's.
        """
        return run_sync(operations.get(self.runtime, session_id, subject))

    def read(self, session_id: str, *, subject: str) -> LivenessSession:
        """The session, after what is due is done: an awaited result read, an old one closed.

        The service is asked at most once in ``poll_interval``, by however many callers.

        Raises:
            SessionNotFoundError: There is none, or it is another subject's.
            FaceError: The service may have a result and did not say.
        """
        return run_sync(operations.read(self.runtime, session_id, subject))

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
            InvalidRequestError: The cursor is not one that a page returned.
            ValueError: The states or the limit cannot be used.
        """
        return run_sync(operations.find(self.runtime, subject, states, limit, cursor))

    def finish(
        self,
        session_id: str,
        *,
        subject: str,
        digest: str | None = None,
        client_error: str | None = None,
        context: RequestContext = RequestContext(),  # noqa: B008 - immutable
    ) -> LivenessSession:
        """Take the front end's report that it is done, and read the verdict from the service.

        What the client reports is kept, and can only make the verdict stricter.

        Args:
            session_id: Ours.
            subject: Whose it has to be.
            digest: What the front end's SDK resolved with.
            client_error: What it rejected with, such as ``CameraPermissionDenied``.
            context: Where the report came from; for policies.

        Returns:
            The session with its verdict, or ``awaiting_result`` as long as the service has none.

        Raises:
            InvalidRequestError: The digest or the error is nothing that a client can report.
            SessionNotFoundError: There is none, or it is another subject's.
            TransitionError: The service has not created the session yet.
            FaceError: The service did not say; the report is kept, so call again.
        """
        return run_sync(
            operations.finish(
                self.runtime,
                session_id,
                subject,
                digest=digest,
                client_error=client_error,
                context=context,
            )
        )

    def cancel(self, session_id: str, *, subject: str) -> LivenessSession:
        """End a session that is not wanted any more, here and at the service; else do nothing.

        Raises:
            SessionNotFoundError: There is none, or it is another subject's.
        """
        return run_sync(operations.cancel(self.runtime, session_id, subject))

    def consume(
        self, session_id: str, *, subject: str, purpose: str, transaction: str | None = None
    ) -> LivenessSession:
        """Use the verdict, once, for the purpose and the transaction that it was made for.

        It returns only if the session has passed, for exactly this, within the purpose's
        ``max_age``, and was not used before. Of any number of concurrent callers one succeeds.

        Raises:
            SessionNotFoundError: There is none, or it is another subject's.
            VerdictNotPassedError: The session has not passed.
            VerdictExpiredError: The verdict is too old.
            VerdictUsedError: The verdict was used before.
            PurposeMismatchError: It is for another purpose or transaction.
            InvalidRequestError: The purpose is not configured, or requires a transaction.
        """
        return run_sync(operations.consume(self.runtime, session_id, subject, purpose, transaction))

    def review(self, session_id: str, *, reviewer: str, verdict: Verdict) -> LivenessSession:
        """Decide a session that needs review. The caller has checked who the reviewer is.

        Args:
            session_id: Ours.
            reviewer: Who decides: 1 to 255 characters; kept with the session.
            verdict: ``passed``, ``rejected`` or ``inconclusive``, with its reasons.

        Raises:
            SessionNotFoundError: There is none.
            TransitionError: It needs no review, or the verdict is ``needs_review`` again.
        """
        return run_sync(operations.review(self.runtime, session_id, reviewer, verdict))

    def erase(self, subject: str) -> EraseReceipt:
        """Erase everything that is kept of *subject*, at the service first.

        Open sessions are cancelled. It survives a crash, and can be repeated: the worker goes on
        with what the service has not confirmed yet.

        Raises:
            SubjectRequiredError: There is no subject.
        """
        return run_sync(operations.erase(self.runtime, subject))

    def export(self, subject: str) -> list[dict[str, Any]]:
        """Everything that is kept of *subject*, newest session first, in the types of JSON.

        Raises:
            SubjectRequiredError: There is no subject.
        """
        return run_sync(operations.export(self.runtime, subject))

    def sweep(self) -> SweepReport:
        """Do all the work that is due, until nothing is: see :mod:`livegate.worker`.

        Run it every minute or so, from as many processes as you like, or run ``livegate worker``.

        Raises:
            StoreError: The store cannot be asked for work.
        """
        return run_sync(worker.sweep(self.runtime))

    def close(self) -> None:
        """Release the store, the service, the notifiers and the plugins. Closing twice is fine."""
        run_sync(operations.close(self.runtime))

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
    """Runs liveness sessions, in an event loop: the same methods, awaited.

    One for each event loop, since connections to the service belong to one. A sync store is used
    as it says with ``for_event_loop()``, else in threads. See :class:`Orchestrator`.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        purposes: Iterable[Purpose] = (),
        face: AsyncFaceService | None = None,
        store: AnyStore | str | None = None,
        notifiers: Iterable[Notifier | str] = (),
        plugins: Iterable[object] = (),
        plugin_config: Mapping[str, Mapping[str, Any]] | None = None,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = random_id,
    ) -> None:
        self.runtime = _runtime(
            settings,
            purposes,
            face,
            store,
            notifiers,
            plugins,
            plugin_config,
            clock,
            new_id,
            is_async=True,
        )

    async def start(self, request: StartRequest) -> StartResult:
        """See :meth:`Orchestrator.start`."""
        return await operations.start(self.runtime, request)

    async def retry(
        self,
        session_id: str,
        *,
        subject: str,
        reference_image: ReferenceImage | None = None,
        context: RequestContext = RequestContext(),  # noqa: B008 - immutable
    ) -> StartResult:
        """See :meth:`Orchestrator.retry`."""
        return await operations.retry(self.runtime, session_id, subject, reference_image, context)

    async def get(self, session_id: str, *, subject: str) -> LivenessSession:
        """See :meth:`Orchestrator.get`."""
        return await operations.get(self.runtime, session_id, subject)

    async def read(self, session_id: str, *, subject: str) -> LivenessSession:
        """See :meth:`Orchestrator.read`."""
        return await operations.read(self.runtime, session_id, subject)

    async def find(
        self,
        *,
        subject: str,
        states: Iterable[SessionState] = (),
        limit: int = 20,
        cursor: str | None = None,
    ) -> Page:
        """See :meth:`Orchestrator.find`."""
        return await operations.find(self.runtime, subject, states, limit, cursor)

    async def finish(
        self,
        session_id: str,
        *,
        subject: str,
        digest: str | None = None,
        client_error: str | None = None,
        context: RequestContext = RequestContext(),  # noqa: B008 - immutable
    ) -> LivenessSession:
        """See :meth:`Orchestrator.finish`."""
        return await operations.finish(
            self.runtime,
            session_id,
            subject,
            digest=digest,
            client_error=client_error,
            context=context,
        )

    async def cancel(self, session_id: str, *, subject: str) -> LivenessSession:
        """See :meth:`Orchestrator.cancel`."""
        return await operations.cancel(self.runtime, session_id, subject)

    async def consume(
        self, session_id: str, *, subject: str, purpose: str, transaction: str | None = None
    ) -> LivenessSession:
        """See :meth:`Orchestrator.consume`."""
        return await operations.consume(self.runtime, session_id, subject, purpose, transaction)

    async def review(self, session_id: str, *, reviewer: str, verdict: Verdict) -> LivenessSession:
        """See :meth:`Orchestrator.review`."""
        return await operations.review(self.runtime, session_id, reviewer, verdict)

    async def erase(self, subject: str) -> EraseReceipt:
        """See :meth:`Orchestrator.erase`."""
        return await operations.erase(self.runtime, subject)

    async def export(self, subject: str) -> list[dict[str, Any]]:
        """See :meth:`Orchestrator.export`."""
        return await operations.export(self.runtime, subject)

    async def sweep(self) -> SweepReport:
        """See :meth:`Orchestrator.sweep`."""
        return await worker.sweep(self.runtime)

    async def close(self) -> None:
        """See :meth:`Orchestrator.close`."""
        await operations.close(self.runtime)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


# --- what both are made of -------------------------------------------------------------------


def _runtime(  # noqa: PLR0917 - both constructors pass all of their arguments
    settings: Settings | None,
    purposes: Iterable[Purpose],
    face: AnyFaceService | None,
    store: AnyStore | str | None,
    notifiers: Iterable[Notifier | str],
    plugin_objects: Iterable[object],
    plugin_config: Mapping[str, Mapping[str, Any]] | None,
    clock: Callable[[], datetime],
    new_id: Callable[[], str],
    *,
    is_async: bool,
) -> Runtime:
    given: object = clock  # a caller may not check types
    now = clock() if callable(given) else None
    if not isinstance(now, datetime) or now.utcoffset() is None:
        raise ConfigurationError(
            "clock has to be a function that returns a time with a time zone, "
            "such as lambda: datetime.now(UTC)."
        )
    needed = (
        *(("endpoint", "key") if face is None else ()),
        *(("store",) if store is None else ()),
    )
    if settings is None:
        settings, faults = Settings.read(os.environ, required=needed)
    elif isinstance(settings, Settings):
        faults = settings.missing(*needed)
    else:
        raise ConfigurationError("settings has to be a Settings, such as Settings.from_env().")
    known_purposes = Purposes(purposes)
    checked_face = None if face is None else _checked_face(face, is_async)
    plugins = Plugins(plugin_objects, settings.plugins, is_async=is_async)
    context = PluginContext(settings, clock, __version__, plugin_config=plugin_config or {})
    plugins.configure(context, faults)
    # The store comes last: a fault in anything else leaves no file open.
    opened_notifiers = _open_notifiers((*settings.notifiers, *notifiers), plugins)
    opened_face = checked_face or _face(settings, is_async=is_async)
    opened_store = _open_store(
        settings.store if store is None else store, plugins, is_async=is_async
    )
    timing = settings.timing()
    return Runtime(
        store=opened_store,
        face=opened_face,
        plugins=plugins,
        purposes=known_purposes,
        notifiers=opened_notifiers,
        settings=settings,
        clock=clock,
        new_id=new_id,
        timing=timing,
        reader_timing=replace(timing, poll=timedelta(seconds=settings.poll_interval)),
    )


def _face(settings: Settings, *, is_async: bool) -> AnyFaceService:
    from livegate.face.azure import AsyncAzureFace, AzureFace  # noqa: PLC0415 - loads Azure

    if is_async:
        return AsyncAzureFace.from_settings(settings)
    return AzureFace.from_settings(settings)


def _checked_face(face: AnyFaceService, is_async: bool) -> AnyFaceService:  # noqa: FBT001
    name = type(face).__name__
    missing = [each for each in FACE_METHODS if not callable(getattr(face, each, None))]
    if missing or not hasattr(face, "api_version"):
        raise ConfigurationError(
            f"{name} cannot be a face service: it has no {', '.join(missing or ['api_version'])}."
        )
    _check_nature(face, FACE_METHODS, "face service", is_async=is_async)
    return face


def _open_store(store: AnyStore | str | None, plugins: Plugins, *, is_async: bool) -> AnyStore:
    opened: Any = plugins.open_store(store) if isinstance(store, str) else store
    if isinstance(opened, type):
        raise ConfigurationError(f"{opened.__name__} is a class; pass an object of it.")
    missing = [name for name in STORE_METHODS if not callable(getattr(opened, name, None))]
    if missing:
        raise ConfigurationError(
            f"{type(opened).__name__} cannot be a store: it has no {', '.join(missing)}."
        )
    if is_async and not inspect.iscoroutinefunction(opened.get):
        if hasattr(opened, "for_event_loop"):
            return cast("AnyStore", opened.for_event_loop())
        from livegate.stores.threads import ThreadedStore  # noqa: PLC0415 - only for these

        _check_nature(opened, STORE_METHODS, "store", is_async=False)
        return ThreadedStore(opened)
    _check_nature(opened, STORE_METHODS, "store", is_async=is_async)
    return cast("AnyStore", opened)


def _check_nature(port: object, methods: Iterable[str], what: str, *, is_async: bool) -> None:
    """See that every method is sync, or every one ``async def``, as the orchestrator needs it."""
    wrong = [
        name for name in methods if inspect.iscoroutinefunction(getattr(port, name)) is not is_async
    ]
    if wrong:
        needed = "async def" if is_async else "sync, not async def"
        raise ConfigurationError(
            f"{type(port).__name__} cannot be the {what} here: {', '.join(wrong)} has to be "
            f"{needed}. Orchestrator takes sync ports, AsyncOrchestrator async ones."
        )


def _open_notifiers(notifiers: Iterable[Notifier | str], plugins: Plugins) -> tuple[Notifier, ...]:
    opened: tuple[Any, ...] = tuple(
        plugins.open_notifier(each) if isinstance(each, str) else each for each in notifiers
    )
    for each in opened:
        if not isinstance(each, NotifierProtocol) or not is_identifier(each.name):
            raise ConfigurationError(
                f"{type(each).__name__} cannot be a notifier: it needs a name, deliver(), close()."
            )
    if len({each.name for each in opened}) != len(opened):
        raise ConfigurationError("Two notifiers have the same name; give each its own.")
    return opened
