"""Purposes: the server decides what a session has to prove.

::

    Purpose("sign-in")                                                    # liveness alone
    Purpose("payout", reference_image=portrait_of, transaction=REQUIRED)  # the enrolled person
    Purpose("enrol", reference_image=FROM_CLIENT)                         # the client's own picture
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

from livegate.errors import ConfigurationError, InvalidRequestError
from livegate.models import OperationMode, SessionKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from livegate.models import ReferenceImage, StartRequest

    ImageSource = Callable[[StartRequest], ReferenceImage | Awaitable[ReferenceImage | None] | None]
    """From the start request to the image of the person that it is about; None if there is none."""


class _FromClient(Enum):
    FROM_CLIENT = "from_client"


FROM_CLIENT: Final = _FromClient.FROM_CLIENT
"""The front end brings the reference image: it proves that the person looks like it, not who."""


class TransactionRule(Enum):
    """Whether a purpose is for one thing, such as a payment, that the verdict is bound to."""

    OPTIONAL = "optional"
    REQUIRED = "required"


OPTIONAL: Final = TransactionRule.OPTIONAL
REQUIRED: Final = TransactionRule.REQUIRED

NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
MAX_TRANSACTION: Final = 128
"""Characters."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a session has to prove, and what its verdict may be used for.

    Attributes:
        name: What the front end and ``consume`` call it: 1 to 64 letters, digits, ``_ . -``.
        verify: Whether the person has to be the one on a reference image. True where
            ``reference_image`` is given.
        reference_image: A sync or async callable from the start request to the image, run on the
            server; or :data:`FROM_CLIENT`. With None the image comes from the application's own
            call of ``start``, or from the hook ``provide_reference_image``.
        transaction: Whether the verdict is bound to one thing beside the purpose.
        max_age: How long after the verdict it can be consumed.
        require_digest: Whether a result counts only if the client reported the service's digest.
        mode: How the SDK checks the face; None takes the setting.
        max_retries: How many sessions may follow a first one by ``retry``.

    Raises:
        ConfigurationError: A value is wrong; the message names it.
    """

    name: str
    verify: bool = field(default=False, kw_only=True)
    reference_image: ImageSource | _FromClient | None = field(default=None, kw_only=True)
    transaction: TransactionRule = field(default=OPTIONAL, kw_only=True)
    max_age: timedelta = field(default=timedelta(minutes=10), kw_only=True)
    require_digest: bool = field(default=True, kw_only=True)
    mode: OperationMode | None = field(default=None, kw_only=True)
    max_retries: int = field(default=3, kw_only=True)

    def __post_init__(self) -> None:
        image = self.reference_image
        if image is not None:
            object.__setattr__(self, "verify", True)
        name: object = self.name
        max_age: object = self.max_age
        is_named = isinstance(name, str) and bool(NAME.fullmatch(name))
        requirements = (
            (is_named, "name has to be 1 to 64 letters, digits, '_', '.' and '-'"),
            (type(self.verify) is bool, "verify has to be True or False"),
            (
                image is None or image is FROM_CLIENT or callable(image),
                "reference_image has to be a function of the start request, or FROM_CLIENT",
            ),
            (
                isinstance(self.transaction, TransactionRule),
                "transaction has to be OPTIONAL or REQUIRED",
            ),
            (
                isinstance(max_age, timedelta) and max_age > timedelta(0),
                "max_age has to be a positive timedelta",
            ),
            (type(self.require_digest) is bool, "require_digest has to be True or False"),
            (
                self.mode is None or self.mode in tuple(OperationMode),
                f"mode has to be {' or '.join(OperationMode)}",
            ),
            (
                type(self.max_retries) is int and self.max_retries >= 0,
                "max_retries has to be an integer, 0 or more",
            ),
        )
        if wrong := [text for is_right, text in requirements if not is_right]:
            # Without the values: one that was passed in the wrong place may be an image.
            what = f"Purpose {name}" if is_named else "A purpose"
            raise ConfigurationError(f"{what}: {'; '.join(wrong)}.")
        if self.mode is not None:
            object.__setattr__(self, "mode", OperationMode(self.mode))

    @property
    def kind(self) -> SessionKind:
        """What the service is asked to check."""
        return SessionKind.LIVENESS_WITH_VERIFY if self.verify else SessionKind.LIVENESS

    @property
    def takes_client_image(self) -> bool:
        """Whether the front end brings the reference image."""
        return self.reference_image is FROM_CLIENT

    def check_transaction(self, transaction: str | None) -> None:
        """See that there is a *transaction* where this purpose needs one.

        Raises:
            InvalidRequestError: It is missing.
        """
        if transaction is None and self.transaction is REQUIRED:
            raise _unusable(
                "transaction", f"the purpose {self.name} needs one", "transaction_required"
            )


class Purposes:
    """The purposes of one orchestrator, by name.

    Args:
        purposes: None configured means one, ``default``: liveness alone.

    Raises:
        ConfigurationError: Something in it is not a Purpose, or two have the same name.
    """

    def __init__(self, purposes: Iterable[Purpose] = ()) -> None:
        known = tuple(purposes) or (Purpose("default"),)
        for purpose in known:
            if not isinstance(purpose, Purpose):
                raise ConfigurationError(
                    f"purposes= takes Purpose objects, not a {type(purpose).__name__}."
                )
        self._by_name = {purpose.name: purpose for purpose in known}
        if len(self._by_name) != len(known):
            raise ConfigurationError("Two purposes have the same name; give each its own.")

    def __iter__(self) -> Iterator[Purpose]:
        return iter(self._by_name.values())

    def get(self, name: str) -> Purpose | None:
        """The purpose called *name*, or None."""
        return self._by_name.get(name)

    def require(self, name: object) -> Purpose:
        """The purpose called *name*.

        Raises:
            InvalidRequestError: There is none.
        """
        purpose = self._by_name.get(name) if isinstance(name, str) else None
        if purpose is None:
            raise _unusable("purpose", "there is no such purpose", "unknown_purpose")
        return purpose


def _unusable(field_name: str, why: str, code: str) -> InvalidRequestError:
    return InvalidRequestError(f"{field_name}: {why}.", code=code, field=field_name, status=422)
