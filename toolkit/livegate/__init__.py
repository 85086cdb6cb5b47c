"""Runs face liveness sessions with Azure AI Face, safely by default.

Start with :class:`Orchestrator` (or :class:`AsyncOrchestrator`); an adapter such as
``livegate_flask`` binds it to a web framework.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livegate.errors import LivegateError as LivegateError
    from livegate.hooks import hookimpl as hookimpl
    from livegate.orchestrator import AsyncOrchestrator as AsyncOrchestrator
    from livegate.orchestrator import Orchestrator as Orchestrator
    from livegate.session import Attempt as Attempt
    from livegate.session import LivenessSession as LivenessSession
    from livegate.session import Objection as Objection
    from livegate.session import OperationMode as OperationMode
    from livegate.session import Outcome as Outcome
    from livegate.session import Page as Page
    from livegate.session import ReferenceImage as ReferenceImage
    from livegate.session import RemoteState as RemoteState
    from livegate.session import SessionKind as SessionKind
    from livegate.session import SessionState as SessionState
    from livegate.session import Started as Started
    from livegate.session import StartRequest as StartRequest
    from livegate.session import Verdict as Verdict
    from livegate.settings import Settings as Settings

_HOMES = {
    "livegate.errors": ["LivegateError"],
    "livegate.hooks": ["hookimpl"],
    "livegate.orchestrator": ["AsyncOrchestrator", "Orchestrator"],
    "livegate.session": [
        "Attempt",
        "LivenessSession",
        "Objection",
        "OperationMode",
        "Outcome",
        "Page",
        "ReferenceImage",
        "RemoteState",
        "SessionKind",
        "SessionState",
        "StartRequest",
        "Started",
        "Verdict",
    ],
    "livegate.settings": ["Settings"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 - a list


if not TYPE_CHECKING:  # a type checker would take every name for one of ours

    def __getattr__(name: str) -> Any:
        """Load a public name when it is first used, so that a plugin pays for what it uses."""
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOME_OF[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
