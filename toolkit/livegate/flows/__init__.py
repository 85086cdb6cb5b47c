"""The verbs of a session's life, each written once, for both colours.

A flow asks the store, the service and the plugins through a :class:`Context`; what follows from
their answers the pure functions of :mod:`livegate.lifecycle` and the policies say.
"""

from livegate.flows.context import Context
from livegate.flows.owner import (
    cancel,
    consume,
    delete_remote,
    expire,
    find,
    finish,
    get,
    read_result,
    refresh,
)
from livegate.flows.starting import start
from livegate.flows.sweeping import SweepReport, sweep

__all__ = [
    "Context",
    "SweepReport",
    "cancel",
    "consume",
    "delete_remote",
    "expire",
    "find",
    "finish",
    "get",
    "read_result",
    "refresh",
    "start",
    "sweep",
]
