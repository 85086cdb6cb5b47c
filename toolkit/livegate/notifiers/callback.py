"""A notifier that calls a function of the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from livegate.errors import ConfigurationError
from livegate.models import is_identifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate.models import SessionEvent


class CallbackNotifier:
    """Calls a function with each event, from the worker.

    For example::

        Orchestrator(..., notifiers=[CallbackNotifier("billing", record_usage)])

    Delivery is at least once: the function may get an event again, with the same ``id``. It may
    raise ``RetryLater`` or ``GiveUp``; after any other exception the event is delivered again.

    Args:
        name: Stable: what was delivered is remembered by it. An identifier of 1 to 64 letters,
            digits, ``_``, ``-``, ``.`` and ``:``.
        function: Sync or async; it has to return within a bounded time.

    Raises:
        ConfigurationError: The name is not such an identifier, or the function cannot be called.
    """

    def __init__(self, name: str, function: Callable[[SessionEvent], object]) -> None:
        if not is_identifier(name):
            raise ConfigurationError(
                "The name of a CallbackNotifier is an identifier of 1 to 64 letters, digits, '_', "
                "'-', '.' and ':'."
            )
        if not callable(function):
            raise ConfigurationError(f"CallbackNotifier({name!r}, ...) takes a function.")
        self.name = name
        self._function = function

    def deliver(self, event: SessionEvent) -> object:
        """What the function returns; awaited by the worker where it can be."""
        return self._function(event)

    def close(self) -> None:
        """There is nothing to release."""
