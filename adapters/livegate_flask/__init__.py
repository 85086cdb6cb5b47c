"""livegate for Flask: the HTTP API under a prefix of your application.

::

    app.config["LIVEGATE_STORE"] = "sqlite:///sessions.sqlite"
    gate = Livegate(app, subject=lambda: flask.session.get("user"), purposes=[Purpose("payout")])

    @app.post("/payouts/<session_id>")
    def pay(session_id):
        user = flask.session.get("user")
        gate.orchestrator.consume(session_id, subject=user, purpose="payout")
"""

from __future__ import annotations

import importlib.util
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from livegate import Orchestrator, http
from livegate.errors import ConfigurationError, LivegateError, MissingDependencyError

try:
    import click
    import flask.cli
    from werkzeug.routing import BaseConverter
except ModuleNotFoundError as error:
    raise MissingDependencyError("Flask", "flask") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Unpack

__all__ = ["Livegate"]

NAME: Final = "livegate"
"""The name of the extension, of its endpoint and of its group of commands."""


class Livegate:
    """Binds livegate to one or several Flask applications, to each of them once.

    Args:
        app: The application, or None to call :meth:`init_app` later.
        subject: Called in each request, returns who is signed in: a str, or None for nobody; sync
            or async. By default the id of Flask-Login's ``current_user``.
        url_prefix: Where the routes are, without variables.
        context_headers: Names of the request headers that policies may see.
        options: Arguments of :class:`livegate.Orchestrator`: ``purposes``, ``plugins``,
            ``notifiers``, ``plugin_config``, ``clock``, ``store``, ``face``; or ``orchestrator``, a
            ready one.

    Raises:
        ConfigurationError: A setting is missing or wrong, or nothing says who is signed in.
    """

    def __init__(
        self,
        app: flask.Flask | None = None,
        *,
        subject: Callable[[], object] | None = None,
        url_prefix: str = "/liveness",
        context_headers: Iterable[str] = (),
        **options: Unpack[http.Options],
    ) -> None:
        self._subject = http.require_callable(subject or _flask_login_user)
        self._base = http.normalize_prefix(url_prefix)
        self._context_headers = tuple(context_headers)
        self._options = options
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask, **options: Unpack[http.Options]) -> None:
        """Bind livegate to *app*: settings from ``app.config``, then from the environment.

        Args:
            app: The application.
            options: For this application alone, such as a test's ``clock`` or ``orchestrator``;
                they go before those of the constructor.

        Raises:
            ConfigurationError: See :class:`Livegate`; or *app* is bound already.
        """
        if NAME in app.extensions:
            raise ConfigurationError("livegate is bound to this application already.")
        if self._subject is _flask_login_user and not importlib.util.find_spec("flask_login"):
            raise ConfigurationError(
                "Nothing says who is signed in: give Livegate a subject=..., a callable that "
                "returns the user's id, or install Flask-Login."
            )
        with _errors_in_one_line():
            gate = http.make_orchestrator(Orchestrator, app.config, self._options, options)
        subject = app.ensure_sync(self._subject)

        def view(**_: str) -> flask.Response:
            return _send(http.run_sync(http.handle(gate.runtime, self._request(), subject())))

        app.extensions[NAME] = gate
        app.view_functions[NAME] = view
        app.url_map.converters["livegate_rest"] = _Rest
        for root in [self._base] if self._base else http.ROOTS:
            for rule in (root, f"{root}/<livegate_rest:rest>"):
                # No methods: all of them, so that the core responds to those it does not know.
                app.url_map.add(app.url_rule_class(rule, endpoint=NAME, merge_slashes=False))
        # What an operation raises in the application's own views becomes a problem response, too.
        app.register_error_handler(LivegateError, _send_problem)
        group = flask.cli.AppGroup(NAME, help="Work on the liveness sessions of this application.")
        sweep = _errors_in_one_line()(lambda: click.echo(gate.sweep()))
        group.command("sweep", help="Do the work that is due, until nothing is.")(sweep)
        group.command("worker", help="Do it until the process is ended.")(lambda: _work(gate))
        app.cli.add_command(group)

    @property
    def orchestrator(self) -> Orchestrator:
        """The orchestrator of the current application, for your own views.

        Raises:
            ConfigurationError: livegate is not bound to this application.
        """
        gate = flask.current_app.extensions.get(NAME)
        if not isinstance(gate, Orchestrator):
            raise ConfigurationError("livegate is not bound to this application; call init_app.")
        return gate

    def _request(self) -> http.Request:
        # The object itself: each access through the proxy costs as much as a call.
        request: flask.Request = flask.request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
        request.max_content_length = sys.maxsize  # the core has limits of its own
        return http.Request(
            method=request.method,
            # The server has decoded the path, and the core decodes it again.
            path=request.path[len(self._base) :].replace("%", "%25"),
            base=request.script_root + self._base,
            query=request.query_string.decode("latin-1"),
            headers=request.headers,
            read=lambda size: request.stream.read(size),  # noqa: PLW0108 - opened when it is read
            client_address=request.remote_addr,
            context_headers=self._context_headers,
        )


class _Rest(BaseConverter):
    """The rest of a path, with its slashes and line breaks."""

    part_isolating = False
    regex = r"[\s\S]*"


def _work(gate: Orchestrator) -> None:
    from livegate.cli import run_worker  # noqa: PLC0415 - no web process needs it

    run_worker(gate)


def _send(response: http.Response) -> flask.Response:
    # In a list: for bytes Flask would set the length of the body, which HEAD does not have.
    return flask.Response([response.body], response.status, response.headers)


def _send_problem(error: LivegateError) -> flask.Response:
    return _send(http.problem_response(error, flask.request.headers.get("Accept-Language")))


def _flask_login_user() -> object:
    # Imported for each request: Flask-Login is the application's dependency, not ours.
    user = importlib.import_module("flask_login").current_user
    # A user who was deactivated still has an id, and is not signed in.
    return user.get_id() if user.is_authenticated else None


@contextmanager
def _errors_in_one_line() -> Iterator[None]:
    """Within the command ``flask`` an error is one line, without its traceback."""
    try:
        yield
    except LivegateError as error:
        if click.get_current_context(silent=True) is None:
            raise
        raise click.ClickException(str(error)) from error
