"""The emulator's time, read and moved from afar."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockface.remote.call import Call


class RemoteClock:
    """A clock that somebody else has.

    Args:
        call: Makes a call of the control API.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    def now(self) -> datetime:
        """The time, in UTC."""
        return _moment(self._call("GET", "clock"))

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return bool(self._call("GET", "clock")["frozen"])

    def advance(self, seconds: float) -> datetime:
        """Moves time forward by zero or more seconds; gives the new time."""
        return self._tell({"advance": seconds})

    def freeze(self, at: datetime | str | None = None) -> datetime:
        """Stops time, now or at a moment; a text is ISO 8601. Without an offset it is UTC."""
        if at is None:
            return self._tell({"freeze": True})
        return self._tell({"freeze": at.isoformat() if isinstance(at, datetime) else at})

    def resume(self) -> datetime:
        """Lets time run on from where it stands."""
        return self._tell({"resume": True})

    def _tell(self, what: dict[str, Any]) -> datetime:
        return _moment(self._call("POST", "clock", what))


def _moment(answered: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(answered["now"])
