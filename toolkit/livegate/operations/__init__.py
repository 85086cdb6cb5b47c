"""The operations of a session's life, each written once, for sync and async.

An operation awaits other operations and :func:`livegate._sync.maybe_await` alone: ports and hooks
do the waiting, and time limits are theirs. What follows from their results is said by the pure
functions of :mod:`livegate.lifecycle` and by the policies.
"""

from livegate.operations._runtime import Runtime, close
from livegate.operations.owner import cancel, consume, find, finish, get, read, review
from livegate.operations.start import retry, start
from livegate.operations.subjects import erase, export

__all__ = [
    "Runtime",
    "cancel",
    "close",
    "consume",
    "erase",
    "export",
    "find",
    "finish",
    "get",
    "read",
    "retry",
    "review",
    "start",
]
