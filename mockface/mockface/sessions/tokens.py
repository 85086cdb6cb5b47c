"""Session tokens: real JWTs, signed with ES256 like the service's.

Clients treat a token as opaque; what is in it is an assumption, made so that the client's side of a
session needs nothing but the token (the web element's `start()` takes nothing else).
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from mockface.sessions.nouns import Kind

if TYPE_CHECKING:
    from mockface.dice import Dice

_HALF = 32  # bytes of r and of s in an ES256 signature
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


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


class TokenMint:
    """Issues tokens and reads them back.

    Args:
        dice: Where the signing key comes from. The same seed signs the same token with the same
            bytes.
    """

    def __init__(self, dice: Dice) -> None:
        scalar = 1 + int.from_bytes(dice.bytes("signing key"), "big") % (_ORDER - 1)
        self._private = ec.derive_private_key(scalar, ec.SECP256R1())
        self.public_key = self._private.public_key()
        self._sign_with = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        self._check_with = ec.ECDSA(hashes.SHA256())
        self._header = _pack(_json({"alg": "ES256", "kid": dice.uuid("key id"), "typ": "JWT"}))

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
        signed = self._header + b"." + _pack(_json(payload))
        r, s = decode_dss_signature(self._private.sign(signed, self._sign_with))
        signature = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
        return (signed + b"." + _pack(signature)).decode("ascii")

    def read(self, token: str) -> Claims:
        """The claims of a token whose signature is ours; its expiry is for the caller to judge.

        Raises:
            ValueError: It is not one of our tokens.
        """
        signed, _, signature = token.encode("ascii").rpartition(b".")
        header, _, payload = signed.partition(b".")
        raw = _unpack(signature)
        # Python reads several spellings of the same bytes; there is one token, and one spelling.
        if header != self._header or len(raw) != 2 * _HALF or _pack(raw) != signature:
            raise ValueError("not a token of this service")
        r, s = int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big")
        try:
            self.public_key.verify(encode_dss_signature(r, s), signed, self._check_with)
        except InvalidSignature:
            raise ValueError("the signature does not fit") from None
        # Signed by us, so it has the shape that `issue` gave it.
        said: dict[str, Any] = json.loads(_unpack(payload))
        return Claims(
            said["sid"], said["tid"], Kind(said["kind"]), said["endpoint"], said["iat"], said["exp"]
        )


_to_json = json.JSONEncoder(separators=(",", ":")).encode


def _json(value: object) -> bytes:
    return _to_json(value).encode("ascii")


def _pack(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _unpack(data: bytes) -> bytes:
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None
