"""An offline emulator of the session API of Azure AI Face.

`Mockface` runs it inside a test, `ControlClient` tells it what to do, `SimulatedClient` plays the
front end. All are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockface.app import create_app, create_blueprint
    from mockface.clock import Clock
    from mockface.errors import ControlError
    from mockface.remote.control_client import ControlClient
    from mockface.remote.simulated_client import (
        LivenessDetectionError,
        LivenessDetectionSuccess,
        SimulatedClient,
    )
    from mockface.server import Mockface

__all__ = [
    "Clock",
    "ControlClient",
    "ControlError",
    "LivenessDetectionError",
    "LivenessDetectionSuccess",
    "Mockface",
    "SimulatedClient",
    "create_app",
    "create_blueprint",
]

_HOMES = {
    "Clock": "clock",
    "ControlClient": "remote.control_client",
    "ControlError": "errors",
    "LivenessDetectionError": "remote.simulated_client",
    "LivenessDetectionSuccess": "remote.simulated_client",
    "Mockface": "server",
    "SimulatedClient": "remote.simulated_client",
    "create_app": "app",
    "create_blueprint": "app",
}


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415 - a bare import of the package costs nothing

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mockface.extras import needs  # noqa: PLC0415 - see above

    with needs("mock"):
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
