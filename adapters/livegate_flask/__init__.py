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
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import click
import flask
from flask import Flask
from flask.cli import AppGroup
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from livegate.driving import drive
from livegate.errors import ConfigurationError, InvalidRequestError, LivegateError
from livegate.http import MAX_BODY, Request, handle, refuse
from livegate.orchestrator import Orchestrator
from livegate.settings import Settings

if TYPE_CHECKING:
    import livegate.http

__all__ = ["Livegate"]

EXTENSION: Final = "livegate"
MAX_PARTS: Final = 20
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

Subject = Callable[[], object]
"""Plain or ``async def``."""


@dataclass(frozen=True, slots=True)
class _Binding:
    """What one application has of livegate."""

    orchestrator: Orchestrator
    subject: Subject
    base: str


class Livegate:
    """Binds livegate to one or several Flask applications, to each of them once.

    Args:
        app: The application, or None to call :meth:`init_app` later.
        subject: Says, within a request, who is signed in: a text, a whole number or a UUID, or
            None for nobody. By default the id of Flask-Login's ``current_user``.
        url_prefix: Where the routes are mounted; without variables.
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
        if subject is not None and not callable(subject):
            raise ConfigurationError("subject= has to be a callable that returns the user's id.")
        if "<" in url_prefix:
            raise ConfigurationError(
                f"url_prefix={url_prefix!r} has to be a path without variables."
            )
        _refuse_async(orchestrator)
        self._subject = subject
        self._base = "/" + url_prefix.strip("/") if url_prefix.strip("/") else ""
        self._plugins = tuple(plugins)
        self._orchestrator = orchestrator
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Bind livegate to *app*: settings from ``app.config``, then from the environment.

        Raises:
            ConfigurationError: See :class:`Livegate`; or *app* is bound already.
        """
        if EXTENSION in app.extensions:
            # A second one would take the place of the first, its subject and its store with it.
            raise ConfigurationError(
                "livegate is bound to this application already; bind it once, with one prefix and "
                "one subject."
            )
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
        app.register_error_handler(LivegateError, lambda error: _write(refuse(error)))
        app.cli.add_command(_commands())

    @property
    def orchestrator(self) -> Orchestrator:
        """The orchestrator of the current application, for your own views.

        Raises:
            ConfigurationError: livegate is not bound to this application.
        """
        binding: _Binding | None = flask.current_app.extensions.get(EXTENSION)
        if binding is None:
            raise ConfigurationError("livegate is not bound to this application; call init_app.")
        return binding.orchestrator


def _refuse_async(orchestrator: object) -> None:
    """An async one belongs to one event loop, and each of Flask's requests would bring another."""
    if orchestrator is not None and not isinstance(orchestrator, Orchestrator):
        raise ConfigurationError(
            f"orchestrator= is a {type(orchestrator).__name__} and has to be an Orchestrator; its "
            "verbs can be called in async views too."
        )


def _view(path: str) -> flask.Response:
    binding: _Binding = flask.current_app.extensions[EXTENSION]
    try:
        subject = _signed_in(binding.subject)
        request = _read(binding, path, with_body=subject is not None)
    except LivegateError as error:
        return _write(refuse(error))
    return _write(drive(handle(binding.orchestrator.context, request, subject)))


def _signed_in(subject: Subject) -> str | None:
    """Who is signed in, as text.

    Raises:
        ConfigurationError: It is nothing that names one user and nobody else: the text of an object
            may be the same for two users, and True is the same for all.
    """
    who = flask.current_app.ensure_sync(subject)()
    if who is None:
        return None
    if isinstance(who, bool) or not isinstance(who, str | int | UUID):
        raise ConfigurationError(
            f"subject= gave a {type(who).__name__}; it has to give the user's id as a text, a "
            "whole number or a UUID, or None for nobody."
        )
    return str(who)


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


class _FormParser(FormDataParser):
    """Parses into memory, and raises at a broken form.

    Flask's own writes a large part to a temporary file; a face stays in memory.
    """

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        super().__init__(
            stream_factory=lambda *_args, **_kwargs: BytesIO(),
            max_content_length=MAX_BODY,
            max_form_memory_size=MAX_BODY,
            max_form_parts=MAX_PARTS,
            silent=False,
        )


def _read_form(
    request: flask.Request,
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, bytes], ...]]:
    """The text and the file parts of a form.

    An extension that looked for its token in the form has parsed it already, and nobody can again.
    """
    request.form_data_parser_class = _FormParser
    return (
        tuple(request.form.items(multi=True)),
        tuple((name, part.read()) for name, part in request.files.items(multi=True)),
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
        # A user who was deactivated still has an id, and is not signed in.
        return user.get_id() if user.is_authenticated else None

    return subject


def _commands() -> AppGroup:
    group = AppGroup(EXTENSION, help="Look after the liveness sessions of this application.")

    @group.command("sweep", help="Close what expired or crashed, delete what is to be deleted.")
    def sweep() -> None:
        binding: _Binding = flask.current_app.extensions[EXTENSION]
        try:
            report = asdict(binding.orchestrator.sweep())
        except LivegateError as error:
            raise click.ClickException(str(error)) from error
        click.echo(", ".join(f"{name} {number}" for name, number in report.items()))

    return group
