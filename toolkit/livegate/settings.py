"""What an operator decides, validated whole when the application starts.

Settings come from the environment, from a mapping such as a framework's configuration, or from the
constructor; the names are the same: ``LIVEGATE_`` and the field in capitals. The endpoint and the
key are also read from ``VISION_ENDPOINT`` and ``VISION_KEY``, the names of the service's samples.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from livegate.errors import ConfigurationError
from livegate.session import OperationMode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX: Final = "LIVEGATE_"
ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "endpoint": ("VISION_ENDPOINT",),
    "key": ("VISION_KEY",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, with safe values for what is not.

    Attributes:
        endpoint: The Face resource: ``https://NAME.cognitiveservices.azure.com``, without a path.
        key: The resource key; never in a ``repr``.
        api_version: Of the Face API, for new sessions.
        store: Where sessions are kept: ``sqlite:///PATH`` or ``memory://`` (tests, one process).
            Never in a ``repr``, since a URI may hold a password.
        mode: How the front end's SDK looks at the face.
        token_lifetime: Seconds that a front end has for its attempts, 60 to 86400.
        result_grace: Seconds after that in which a result of the service still counts.
        poll_interval: Seconds that a front end is told to wait before it asks again.
        face_timeout: Seconds that one try of a call to the service may take.
        face_retries: How often a call that is safe to repeat is repeated.
        allow_cross_site: Whether pages of other sites may act for a signed-in user.
        plugins: The entry points of the group ``livegate`` to load, by name; ``*`` loads all.

    Raises:
        ConfigurationError: Names every setting that is wrong, and its remedy.
    """

    endpoint: str | None = None
    key: str | None = field(default=None, repr=False)
    api_version: str = "v1.2"
    store: str | None = field(default=None, repr=False)
    mode: OperationMode = OperationMode.PASSIVE_ACTIVE
    token_lifetime: int = 600
    result_grace: int = 600
    poll_interval: int = 2
    face_timeout: float = 10.0
    face_retries: int = 2
    allow_cross_site: bool = False
    plugins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = []
        for name, parse in _PARSERS.items():
            try:
                object.__setattr__(self, name, parse(getattr(self, name)))
            except ValueError as error:
                problems.append(f"{' or '.join(_names(name))} {error}")
        _refuse(problems)

    @classmethod
    def from_mapping(cls, *mappings: Mapping[str, Any], known: tuple[str, ...] = ()) -> Settings:
        """Read settings by their names; an earlier mapping goes before a later one.

        Args:
            mappings: Such as ``app.config`` and ``os.environ``. An empty text counts as not set.
            known: Further ``LIVEGATE_`` names that somebody else reads.

        Raises:
            ConfigurationError: A value is wrong, or a ``LIVEGATE_`` name is none of ours.
        """
        names = {name: each.name for each in fields(cls) for name in _names(each.name)}
        _refuse(
            _unknown(name, names)
            for name in sorted({str(name) for mapping in mappings for name in mapping})
            if name.startswith(PREFIX) and name not in names and name not in known
        )
        values: dict[str, Any] = {}
        for mapping in mappings:
            for name, field_name in names.items():
                if mapping.get(name) not in (None, ""):
                    values.setdefault(field_name, mapping[name])
        return cls(**values)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read settings from the environment.

        Raises:
            ConfigurationError: See :meth:`from_mapping`.
        """
        return cls.from_mapping(os.environ if environ is None else environ)

    def require(self, name: str) -> str:
        """The text setting called *name*.

        Raises:
            ConfigurationError: It is not set.
        """
        value = getattr(self, name)
        if not value:
            raise ConfigurationError(f"{' or '.join(_names(name))} is not set. {_REMEDIES[name]}")
        return str(value)


_REMEDIES: Final = {
    "endpoint": "Set it to the endpoint of your Face resource: "
    "https://NAME.cognitiveservices.azure.com",
    "key": "Set it to one of the two keys of your Face resource.",
    "store": "Set it to sqlite:///PATH to keep sessions in a file, "
    "or to memory:// for tests in one process.",
}


def _names(field_name: str) -> tuple[str, ...]:
    return (*ALIASES.get(field_name, ()), PREFIX + field_name.upper())


def _unknown(name: str, names: Mapping[str, str]) -> str:
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(names))}."
    return f"{name} is no setting; {hint}"


def _refuse(problems: Any) -> None:
    if found := list(problems):
        raise ConfigurationError("; ".join(found))


# --- one parser a setting: gives the value back in its own type, or says what would be right -----


def normal_endpoint(value: Any) -> str | None:
    """The endpoint without the slash at its end that the portal shows and that breaks every path.

    Raises:
        ValueError: It is no endpoint, with what would be one.
    """
    if value is None:
        return None
    text = str(value).strip()
    right = "has to be like https://NAME.cognitiveservices.azure.com"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(right) from None
    host = parts.hostname or ""
    if not host or parts.scheme not in ("http", "https") or not re.fullmatch(r"[\w.:-]+", host):
        raise ValueError(right)
    if parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"):
        raise ValueError(f"{right}, without a path, a query or a user")
    if parts.scheme == "http" and host not in ("127.0.0.1", "localhost", "::1"):
        raise ValueError("has to begin with https://, since the key travels to it")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")


def _secret(value: Any) -> str | None:
    if value is None:
        return None
    text = value.strip() if isinstance(value, str) else ""
    if not text or not text.isascii() or not text.isprintable():
        raise ValueError("has to be the key alone: printable ASCII, no line breaks")
    return text


def _api_version(value: Any) -> str:
    text = str(value)
    if not re.fullmatch(r"v\d+\.\d+(-preview\.\d+)?", text):
        raise ValueError("has to be like v1.2 or v1.2-preview.1")
    return text


def _store(value: Any) -> str | None:
    if value is None:
        return None
    text = str(value)
    if not re.match(r"[a-z][a-z0-9+.-]*://", text):
        raise ValueError("has to be a URI like sqlite:///PATH or memory://")
    return text


def _mode(value: Any) -> OperationMode:
    for mode in OperationMode:
        if str(value).lower() == mode.value.lower():
            return mode
    raise ValueError(f"has to be {' or '.join(OperationMode)}")


def _number(kind: type[int] | type[float], low: float, high: float) -> Callable[[Any], int | float]:
    def parse(value: Any) -> int | float:
        try:
            number = kind(value)
        except (TypeError, ValueError, OverflowError):
            number = kind(low) - 1
        cut_short = isinstance(value, float) and number != value
        if isinstance(value, bool) or cut_short or not low <= number <= high:
            whole = "whole " if kind is int else ""
            raise ValueError(f"has to be a {whole}number from {low} to {high}")
        return number

    return parse


def _switch(value: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    try:
        return words[str(value).lower()]
    except KeyError:
        raise ValueError("has to be true or false") from None


def _plugins(value: Any) -> tuple[str, ...]:
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, Iterable) or not all(isinstance(word, str) for word in words):
        raise ValueError("has to be names of entry points; an object is given as plugins=[...]")
    return tuple(word.strip() for word in words if word.strip())


_PARSERS: Final[dict[str, Callable[[Any], Any]]] = {
    "endpoint": normal_endpoint,
    "key": _secret,
    "api_version": _api_version,
    "store": _store,
    "mode": _mode,
    "token_lifetime": _number(int, 60, 86400),
    "result_grace": _number(int, 0, 86400),
    "poll_interval": _number(int, 1, 60),
    "face_timeout": _number(float, 0.1, 60),
    "face_retries": _number(int, 0, 5),
    "allow_cross_site": _switch,
    "plugins": _plugins,
}
