"""The one place where randomness comes from.

A value is a keyed hash of its name: `dice.fraction("confidence", session_id, 1)` depends on the
seed and on these names only. So nothing has to be remembered between draws, threads cannot disturb
each other's order, and the same seed and the same calls give the same bytes.
"""

from __future__ import annotations

import random
import secrets
from hashlib import blake2b
from typing import Self


class Dice:
    """Named draws from one seed.

    Args:
        seed: Any text; the same text gives the same values. `None` takes a seed that nobody can
            guess.
    """

    __slots__ = ("_key",)

    def __init__(self, seed: str | None = None) -> None:
        text = secrets.token_hex(32) if seed is None else seed
        self._key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).digest()

    def child(self, *names: object) -> Self:
        """Dice of their own for one part of the service, such as a tenant."""
        other = type(self).__new__(type(self))
        other._key = self.bytes("child", *names)  # noqa: SLF001 - another object of this very class
        return other

    def bytes(self, *names: object, size: int = 32) -> bytes:
        """`size` bytes, at most 64, that belong to these names."""
        # The lengths keep ("ab", "c") and ("a", "bc") apart.
        data = b""
        for name in names:
            part = str(name).encode("utf-8", "surrogatepass")
            data += len(part).to_bytes(4, "big") + part
        return blake2b(data, key=self._key, digest_size=size).digest()

    def uuid(self, *names: object) -> str:
        """A random-looking UUID (version 4) in lower case."""
        drawn = bytearray(self.bytes(*names, size=16))
        drawn[6] = drawn[6] & 0x0F | 0x40  # the version
        drawn[8] = drawn[8] & 0x3F | 0x80  # the variant of RFC 9562
        text = drawn.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def integer(self, low: int, high: int, *names: object) -> int:
        """An integer with both ends included."""
        return low + int.from_bytes(self.bytes(*names, size=8), "big") % (high - low + 1)

    def fraction(self, low: float, high: float, *names: object) -> float:
        """A number between `low` and `high`, with eight decimals as the service shows them."""
        share = int.from_bytes(self.bytes(*names, size=7), "big") / (1 << 56)
        return round(low + (high - low) * share, 8)

    def generator(self, *names: object) -> random.Random:
        """A generator for work that needs many draws, such as a picture."""
        return random.Random(self.bytes(*names))  # noqa: S311 - test data, not a secret
