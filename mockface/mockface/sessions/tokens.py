"""Session tokens: JWTs, signed with HS256.

Clients treat a token as opaque; what is in it is an assumption, made so that the client's side of a
session needs nothing but the token (the web element's `start()` takes nothing else). Nobody outside
checks the signature, so a shared secret is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jwt

from mockface.sessions.nouns import Kind

if TYPE_CHECKING:
    from jwt.types import Options

    from mockface.dice import Dice

_ALGORITHM = "HS256"
_UNTIMED: Options = {"verify_exp": False, "verify_iat": False}  # the clock is the emulator's


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says.

    Attributes:
        session_id: The session it opens.
        tenant_id: Whose session it is; not the resource key.
        kind: The family of the session.
        endpoint: Where the client has to go.
        issued_at: Seconds since 1970.
        expires_at: Seconds since 1970.
    """

    session_id: str
    tenant_id: str
    kind: Kind
    endpoint: str
    issued_at: int
    expires_at: int


class TokenIssuer:
    """Issues tokens and reads them back.

    Args:
        dice: Where the signing key comes from. The same seed signs the same token with the same
            bytes.
    """

    def __init__(self, dice: Dice) -> None:
        self._key = dice.bytes("signing key")
        self._headers = {"kid": dice.uuid("key id")}

    def issue(self, claims: Claims) -> str:
        """The token for these claims."""
        payload = {
            "sid": claims.session_id,
            "tid": claims.tenant_id,
            "kind": claims.kind.value,
            "endpoint": claims.endpoint,
            "iat": claims.issued_at,
            "exp": claims.expires_at,
        }
        return jwt.encode(payload, self._key, _ALGORITHM, self._headers)

    def read(self, token: str) -> Claims:
        """The claims of a token with our signature; its expiry is for the caller to check.

        Raises:
            ValueError: It is not one of our tokens.
        """
        try:
            # Signed by us, so it has the shape that `issue` gave it.
            said = jwt.decode(token, self._key, [_ALGORITHM], _UNTIMED)
        except jwt.InvalidTokenError:
            raise ValueError("not a token of this emulator") from None
        return Claims(
            said["sid"], said["tid"], Kind(said["kind"]), said["endpoint"], said["iat"], said["exp"]
        )
