"""What every adapter does when it is bound to an application."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from livegate.errors import ConfigurationError
from livegate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from livegate.orchestrator import AsyncOrchestrator, Orchestrator
    from livegate.protocols import AnyFaceService, AnyStore, Notifier
    from livegate.purposes import Purpose

    AnyOrchestrator = TypeVar("AnyOrchestrator", Orchestrator, AsyncOrchestrator)
    Subject = Callable[..., object]
    """Returns who is signed in."""


class Options(TypedDict, total=False):
    """What an adapter takes for the orchestrator that it makes, or a ready ``orchestrator``."""

    orchestrator: Orchestrator | AsyncOrchestrator | None
    purposes: Sequence[Purpose]
    plugins: Sequence[object]
    notifiers: Sequence[Notifier | str]
    plugin_config: Mapping[str, Mapping[str, Any]] | None
    clock: Callable[[], datetime]
    store: AnyStore | str
    face: AnyFaceService


def require_callable(subject: Subject) -> Subject:
    """*subject*, if it can be called.

    Raises:
        ConfigurationError: It cannot.
    """
    if not callable(subject):
        raise ConfigurationError("subject= has to be a callable that returns the user's id.")
    return subject


def normalize_prefix(url_prefix: str) -> str:
    """*url_prefix* with a slash at its start and none at its end; empty for the root.

    Raises:
        ConfigurationError: It has variables.
    """
    if "<" in url_prefix or "{" in url_prefix:
        raise ConfigurationError("url_prefix= has to be a path without variables.")
    return f"/{url_prefix.strip('/')}".rstrip("/")


def make_orchestrator(
    kind: type[AnyOrchestrator], config: Mapping[str, Any], *options: Options
) -> AnyOrchestrator:
    """The orchestrator of an application.

    Args:
        kind: What the adapter needs.
        config: Of the application: its settings go before those of the environment.
        options: Of the adapter, and then of the application: later ones go before earlier ones, and
            an orchestrator replaces all earlier ones.

    Raises:
        ConfigurationError: A setting is missing or wrong, the orchestrator is of another kind, or
            there are options beside it.
    """
    merged: dict[str, Any] = {}
    for each in options:
        merged = {**({} if each.get("orchestrator") else merged), **each}
    ready = merged.pop("orchestrator", None)
    if ready is None:
        return kind(Settings.from_mapping(config, os.environ), **merged)
    if not isinstance(ready, kind):
        raise ConfigurationError(
            f"orchestrator= has to be of the type {kind.__name__}, not {type(ready).__name__}."
        )
    if merged:
        raise ConfigurationError(
            f"orchestrator= is made already: give {', '.join(merged)} to {kind.__name__} instead."
        )
    return ready
