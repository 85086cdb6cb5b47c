"""A call of the control API, as those see it who only make one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Call(Protocol):
    """A way to the control API."""

    def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        """See `ControlClient.call`."""
        ...  # a signature has no body
