"""livegate for Flask: the HTTP contract under a prefix of your application.

::

    app.config["LIVEGATE_STORE"] = "sqlite:///sessions.sqlite"
    gate = Livegate(app, subject=lambda: flask.session.get("user"))

    with app.test_request_context():
        gate.orchestrator.consume(session_id, subject=user, purpose="login")
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING, Final

import click
import flask
from flask import Flask
from flask.cli import AppGroup
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from livegate.driving import drive
from livegate.errors import ConfigurationError, InvalidRequestError, LivegateError
from livegate.http import MAX_BODY, Request, handle, problem
from livegate.orchestrator import Orchestrator
from livegate.settings import Settings

if TYPE_CHECKING:
    import livegate.http

__all__ = ["Livegate"]

EXTENSION: Final = "livegate"
MAX_PARTS: Final = 20
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

Subject = Callable[[], object]


@dataclass(frozen=True, slots=True)
class _Binding:
    """What one application has of livegate."""

    orchestrator: Orchestrator
    subject: Subject
    base: str


class Livegate:
    """Binds livegate to one or several Flask applications.

    Args:
        app: The application, or None to call :meth:`init_app` later.
        subject: Says, within a request, who is signed in: a text or a number, or None for nobody.
            By default the id of Flask-Login's ``current_user``.
        url_prefix: Where the routes are mounted.
        plugins: Modules or objects with hooks.
        orchestrator: A ready one, instead of one made from the application's configuration.

    Raises:
        ConfigurationError: A setting is missing or wrong, or nothing says who is signed in.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        subject: Subject | None = None,
        url_prefix: str = "/liveness",
        plugins: Iterable[object] = (),
        orchestrator: Orchestrator | None = None,
    ) -> None:
        self._subject = subject
        self._base = "/" + url_prefix.strip("/") if url_prefix.strip("/") else ""
        self._plugins = tuple(plugins)
        self._orchestrator = orchestrator
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Bind livegate to *app*: settings from ``app.config``, then from the environment.

        Raises:
            ConfigurationError: See :class:`Livegate`.
        """
        orchestrator = self._orchestrator or Orchestrator(
            Settings.from_mapping(app.config, os.environ), plugins=self._plugins
        )
        binding = _Binding(orchestrator, self._subject or _flask_login_subject(), self._base)
        app.extensions[EXTENSION] = binding
        # One rule for all: which paths and methods there are is the core's to say, in its words.
        for rule in (f"{self._base}/", f"{self._base}/<path:path>"):
            app.add_url_rule(
                rule,
                EXTENSION,
                _view,
                defaults={"path": ""} if rule.endswith("/") else None,
                methods=METHODS,
                strict_slashes=False,
            )
        # So that a verb called in the application's own views ends in a problem too, not in a 500.
        app.register_error_handler(LivegateError, lambda error: _write(problem(error)))
        app.cli.add_command(_commands())

    @property
    def orchestrator(self) -> Orchestrator:
        """The orchestrator of the current application, for your own views."""
        binding: _Binding = flask.current_app.extensions[EXTENSION]
        return binding.orchestrator


def _view(path: str) -> flask.Response:
    binding: _Binding = flask.current_app.extensions[EXTENSION]
    who = binding.subject()
    subject = None if who is None else str(who)
    try:
        request = _read(binding, path, with_body=subject is not None)
    except InvalidRequestError as error:
        return _write(problem(error))
    return _write(drive(handle(binding.orchestrator.context, request, subject)))


def _read(binding: _Binding, path: str, *, with_body: bool) -> Request:
    """The framework's request as the core has it; a stranger's body is not even read."""
    request = flask.request
    request.max_content_length = MAX_BODY
    body, form = b"", None
    files: tuple[tuple[str, bytes], ...] = ()
    try:
        if with_body and request.mimetype == "multipart/form-data":
            form, files = _read_form(request)
        elif with_body:
            body = request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise InvalidRequestError(
            f"A body may have at most {MAX_BODY} bytes.", code="body_too_large", status=413
        ) from error
    except (HTTPException, ValueError) as error:
        raise InvalidRequestError(
            "The body is no whole multipart form.", code="body_broken"
        ) from error
    return Request(
        method="GET" if request.method == "HEAD" else request.method,
        path="/" + path,
        base=request.script_root + binding.base,
        headers={name.lower(): value for name, value in request.headers.items()},
        query=tuple(request.args.items(multi=True)),
        body=body,
        form=form,
        files=files,
    )


def _read_form(
    request: flask.Request,
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, bytes], ...]]:
    """The text and the file parts of a form.

    Flask's own ``request.files`` writes a large part to a temporary file; a face stays in memory.
    """
    parser = FormDataParser(
        stream_factory=lambda *_args, **_kwargs: BytesIO(),
        max_content_length=MAX_BODY,
        max_form_memory_size=MAX_BODY,
        max_form_parts=MAX_PARTS,
        silent=False,
    )
    _, form, files = parser.parse(
        request.stream, request.mimetype, request.content_length, request.mimetype_params
    )
    return (
        tuple(form.items(multi=True)),
        tuple((name, part.read()) for name, part in files.items(multi=True)),
    )


def _write(response: livegate.http.Response) -> flask.Response:
    return flask.Response(response.body, response.status, dict(response.headers))


def _flask_login_subject() -> Subject:
    if find_spec("flask_login") is None:
        raise ConfigurationError(
            "Nothing says who is signed in: give Livegate a subject=..., a callable that returns "
            "the user's id, or install Flask-Login."
        )

    def subject() -> object:
        # Looked up for each request: Flask-Login is the application's dependency, not ours.
        user = import_module("flask_login").current_user
        return user.get_id()

    return subject


def _commands() -> AppGroup:
    group = AppGroup(EXTENSION, help="Look after the liveness sessions of this application.")

    @group.command("sweep", help="Close what expired or crashed, delete what is to be deleted.")
    def sweep() -> None:
        binding: _Binding = flask.current_app.extensions[EXTENSION]
        report = asdict(binding.orchestrator.sweep())
        click.echo(", ".join(f"{name} {number}" for name, number in report.items()))

    return group
