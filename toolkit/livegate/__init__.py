"""Runs face liveness sessions with Azure AI Face, safely by default.

Start with :class:`Orchestrator` (or :class:`AsyncOrchestrator`); an adapter such as
``livegate_flask`` binds it to a web framework.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livegate.errors import ConsumeError as ConsumeError
    from livegate.errors import LivegateError as LivegateError
    from livegate.models import Attempt as Attempt
    from livegate.models import EraseReceipt as EraseReceipt
    from livegate.models import LivenessSession as LivenessSession
    from livegate.models import OperationMode as OperationMode
    from livegate.models import Outcome as Outcome
    from livegate.models import Page as Page
    from livegate.models import ReferenceImage as ReferenceImage
    from livegate.models import RemoteState as RemoteState
    from livegate.models import RequestContext as RequestContext
    from livegate.models import SessionEvent as SessionEvent
    from livegate.models import SessionKind as SessionKind
    from livegate.models import SessionState as SessionState
    from livegate.models import StartRequest as StartRequest
    from livegate.models import StartResult as StartResult
    from livegate.models import Verdict as Verdict
    from livegate.notifiers.callback import CallbackNotifier as CallbackNotifier
    from livegate.orchestrator import AsyncOrchestrator as AsyncOrchestrator
    from livegate.orchestrator import Orchestrator as Orchestrator
    from livegate.purposes import FROM_CLIENT as FROM_CLIENT
    from livegate.purposes import OPTIONAL as OPTIONAL
    from livegate.purposes import REQUIRED as REQUIRED
    from livegate.purposes import Purpose as Purpose
    from livegate.settings import Settings as Settings

__version__ = "0.1.0.dev0"

_MODULES = {
    "livegate.errors": ["ConsumeError", "LivegateError"],
    "livegate.models": [
        "Attempt",
        "EraseReceipt",
        "LivenessSession",
        "OperationMode",
        "Outcome",
        "Page",
        "ReferenceImage",
        "RemoteState",
        "RequestContext",
        "SessionEvent",
        "SessionKind",
        "SessionState",
        "StartRequest",
        "StartResult",
        "Verdict",
    ],
    "livegate.notifiers.callback": ["CallbackNotifier"],
    "livegate.orchestrator": ["AsyncOrchestrator", "Orchestrator"],
    "livegate.purposes": ["FROM_CLIENT", "OPTIONAL", "REQUIRED", "Purpose"],
    "livegate.settings": ["Settings"],
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted([*_MODULE_OF, "__version__"])  # noqa: PLE0605 - a list


if not TYPE_CHECKING:  # a type checker would take every name for one of ours

    def __getattr__(name: str) -> Any:
        """Load a public name when it is first used, so that a plugin pays for what it uses."""
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_MODULE_OF[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
