"""The settings of an orchestrator, validated as a whole when the application starts.

They come from the environment, from a mapping such as a framework's configuration, or from the
constructor. Their names are ``LIVEGATE_`` and the field in capitals; the endpoint and the key are
also read from ``VISION_ENDPOINT`` and ``VISION_KEY``, the names in the service's samples. Names
that begin with ``LIVEGATE_PLUGIN_`` belong to plugins.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from livegate._parsers import parse_names, parse_number, split_url
from livegate.errors import ConfigurationError
from livegate.lifecycle import Timing
from livegate.models import OperationMode
from livegate.plugins.uri import Uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

PREFIX: Final = "LIVEGATE_"
PLUGIN_PREFIX: Final = "LIVEGATE_PLUGIN_"
ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "endpoint": ("VISION_ENDPOINT",),
    "key": ("VISION_KEY",),
}

_DAY: Final = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, with safe defaults. Durations are in seconds.

    Attributes:
        endpoint: The Face resource: ``https://NAME.cognitiveservices.azure.com``, without a path.
        key: The resource key; never in a ``repr``.
        api_version: Of the Face API, for new sessions.
        store: Where sessions are kept: ``sqlite:///PATH`` or ``memory://`` (tests, one process).
            Never in a ``repr``, since a URI may hold a password.
        mode: How the front end's SDK checks the face.
        token_lifetime: How long a front end has for its attempts, 60 to 86400.
        result_grace: How long after that a result of the service still counts.
        poll_interval: How long a front end waits before it asks again, 1 to 60. The service is
            asked for one session at most once in it.
        face_timeout: How long one try of a call to the service may take.
        face_retries: How often a call that is safe to repeat is repeated.
        face_connections: How many calls to the service a process sends at the same time under
            ``AsyncOrchestrator``; others wait. Each takes an open file. Under ``Orchestrator``, how
            many connections are kept for later calls.
        allowed_origins: The origins of other sites whose pages may act for a signed-in user, such
            as ``https://app.example.com``, separated by commas.
        notifiers: URIs of the destinations of events, such as ``log://``, separated by commas.
            Never in a ``repr``.
        plugins: The entry points of the group ``livegate`` to load, by name; ``*`` loads all.
        event_max_age: How long an event that cannot be delivered is kept: 3 days by default.
        review_timeout: How long a session may wait for a reviewer: 7 days by default.
        detail_retention: How long digests, scores and hashes of images are kept once a session is
            over: 30 days by default.
        record_retention: How long records are kept once a session is over: 90 days by default.
        worker_interval: How long the worker waits when nothing is due.
        plugin_values: The values of plugins by their names, ``LIVEGATE_PLUGIN_...``; never in a
            ``repr``.

    Raises:
        ConfigurationError: Names every setting that is wrong, and what would be right.
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
    face_connections: int = 500
    allowed_origins: tuple[str, ...] = ()
    notifiers: tuple[str, ...] = field(default=(), repr=False)
    plugins: tuple[str, ...] = ()
    event_max_age: int = 3 * _DAY
    review_timeout: int = 7 * _DAY
    detail_retention: int = 30 * _DAY
    record_retention: int = 90 * _DAY
    worker_interval: int = 5
    plugin_values: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)

    def __post_init__(self) -> None:
        faults = []
        for name, parse in _PARSERS.items():
            try:
                object.__setattr__(self, name, parse(getattr(self, name)))
            except ValueError as error:
                faults.append(_fault(name, error))
        raise_faults(faults)

    @classmethod
    def from_mapping(
        cls,
        *mappings: Mapping[str, Any],
        known: tuple[str, ...] = (),
        required: tuple[str, ...] = (),
    ) -> Settings:
        """Read settings by their names; an earlier mapping goes before a later one.

        Args:
            mappings: Such as ``app.config`` and ``os.environ``. An empty text counts as not set.
            known: Further ``LIVEGATE_`` names, which other code reads.
            required: Fields that have to be set, such as ``endpoint``, ``key`` and ``store``.

        Raises:
            ConfigurationError: Names everything that is wrong, unknown or missing.
        """
        settings, faults = cls.read(*mappings, known=known, required=required)
        raise_faults(faults)
        return settings

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, *, required: tuple[str, ...] = ()
    ) -> Settings:
        """Read settings from the environment; see :meth:`from_mapping`.

        Raises:
            ConfigurationError: Names everything that is wrong, unknown or missing.
        """
        return cls.from_mapping(os.environ if environ is None else environ, required=required)

    @classmethod
    def read(
        cls,
        *mappings: Mapping[str, Any],
        known: tuple[str, ...] = (),
        required: tuple[str, ...] = (),
    ) -> tuple[Settings, tuple[str, ...]]:
        """Read settings as :meth:`from_mapping` does, and return the faults in place of raising.

        So further faults, such as those of plugins, can be reported with them.

        Returns:
            The settings, with the default for each that is wrong, and the faults.
        """
        names = {name: each for each in _PARSERS for name in _names(each)}
        ours = {name for mapping in mappings for name in map(str, mapping) if _is_ours(name)}
        for_plugins = {name: name for name in ours if name.startswith(PLUGIN_PREFIX)}
        unknown = sorted(ours - names.keys() - for_plugins.keys() - set(known))
        faults = [_unknown(name, names) for name in unknown]
        found = _first_values(mappings, names)
        values: dict[str, Any] = {"plugin_values": _first_values(mappings, for_plugins)}
        for name, value in found.items():
            try:
                values[name] = _PARSERS[name](value)
            except ValueError as error:
                faults.append(_fault(name, error))
        faults += [_missing(name) for name in required if name not in found]
        return cls(**values), tuple(faults)

    def missing(self, *required: str) -> tuple[str, ...]:
        """A fault for each of the *required* fields that is not set."""
        return tuple(_missing(name) for name in required if not getattr(self, name))

    def require(self, name: str) -> str:
        """The str in the field *name*.

        Raises:
            ConfigurationError: It is not set.
        """
        raise_faults(self.missing(name))
        return str(getattr(self, name))

    def timing(self) -> Timing:
        """How long a session may be left alone."""
        return Timing(
            # A call for a create takes twice the time-out at most; then come the store's.
            create=timedelta(seconds=2 * self.face_timeout + 10),
            # The front end polls at its own interval; the worker reads what it does not ask for.
            poll=max(Timing().poll, timedelta(seconds=self.poll_interval)),
            review=timedelta(seconds=self.review_timeout),
            details=timedelta(seconds=self.detail_retention),
        )


def raise_faults(faults: Iterable[str]) -> None:
    """Raise one error for all *faults*, if there are any.

    Raises:
        ConfigurationError: There are.
    """
    if found := tuple(faults):
        raise ConfigurationError("; ".join(found), faults=found)


_REMEDIES: Final = {
    "endpoint": "set it to the endpoint of your Face resource: "
    "https://NAME.cognitiveservices.azure.com",
    "key": "set it to one of the two keys of your Face resource",
    "store": "set it to sqlite:///PATH to keep sessions in a file, "
    "or to memory:// for tests in one process",
}


def _names(field_name: str) -> tuple[str, ...]:
    return (*ALIASES.get(field_name, ()), PREFIX + field_name.upper())


def _fault(field_name: str, error: ValueError) -> str:
    return f"{' or '.join(_names(field_name))} {error}"


def _missing(field_name: str) -> str:
    remedy = _REMEDIES.get(field_name, "set it")
    return f"{' or '.join(_names(field_name))} is not set: {remedy}"


def _unknown(name: str, names: Mapping[str, str]) -> str:
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(names))}"
    return f"{name} is not a setting: {hint}"


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX)


def _first_values(
    mappings: Iterable[Mapping[str, Any]], names: Mapping[str, str]
) -> dict[str, Any]:
    """The first value of each of *names*, kept by what *names* calls it; "" is no value."""
    values: dict[str, Any] = {}
    for mapping in mappings:
        for name, key in names.items():
            if mapping.get(name) not in (None, ""):
                values.setdefault(key, mapping[name])
    return values


# --- one parser for each setting: returns the value in its own type, or says what is right -------


def _optional(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else parse(value)


def normal_endpoint(value: Any) -> str:
    """The endpoint, without the slash at its end that the portal shows and that breaks every path.

    Raises:
        ValueError: It is not an endpoint; the message says what is, and does not quote it.
    """
    right = "has to be like https://NAME.cognitiveservices.azure.com"
    scheme, host, rest = split_url(value, right)
    if rest.strip("/"):
        raise ValueError(f"{right}, without a path, a query or a user")
    if scheme == "http" and not _is_loopback(host):
        raise ValueError("has to begin with https://, since the key is sent to it")
    return f"{scheme}://{host}"


def validate_key(value: Any) -> str:
    """The resource key, without white space around it.

    Raises:
        ValueError: It cannot be sent in a header; the message does not quote it.
    """
    text = value.strip() if isinstance(value, str) else ""
    if not text or not text.isascii() or not text.isprintable():
        raise ValueError("has to be the key alone: printable ASCII, no line breaks")
    return text


def _is_loopback(host: str) -> bool:
    return bool(re.fullmatch(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", host))


def _origin(value: Any) -> str:
    right = "has to be origins such as https://app.example.com, without a path"
    scheme, host, rest = split_url(value, right)
    if rest.strip("/"):
        raise ValueError(right)
    if scheme == "http" and not _is_loopback(host):
        raise ValueError("has to begin with https://: on other pages browsers offer no camera")
    # As browsers write it: without the port that belongs to the scheme.
    return f"{scheme}://{host}".removesuffix(":443" if scheme == "https" else ":80")


def _api_version(value: Any) -> str:
    text = str(value)
    if not re.fullmatch(r"v\d+\.\d+(-preview\.\d+)?", text):
        raise ValueError("has to be like v1.2 or v1.2-preview.1")
    return text


def _store(value: Any) -> str:
    try:
        return Uri.parse(value).text
    except ValueError as error:
        raise ValueError(f"{error} (examples: sqlite:///PATH, memory://)") from None


def _mode(value: Any) -> OperationMode:
    for mode in OperationMode:
        if str(value).lower() == mode.value.lower():
            return mode
    raise ValueError(f"has to be {' or '.join(OperationMode)}")


def _plugins(value: Any) -> tuple[str, ...]:
    try:
        return parse_names(value)
    except ValueError:
        raise ValueError(
            "has to be names of entry points: an object is given as plugins=[...]"
        ) from None


def _origins(value: Any) -> tuple[str, ...]:
    return tuple(_origin(origin) for origin in parse_names(value))


def _notifiers(value: Any) -> tuple[str, ...]:
    try:
        return tuple(Uri.parse(uri).text for uri in parse_names(value))
    except ValueError as error:
        raise ValueError(f"{error} (example: log://)") from None


_PARSERS: Final[dict[str, Callable[[Any], Any]]] = {
    "endpoint": _optional(normal_endpoint),
    "key": _optional(validate_key),
    "api_version": _api_version,
    "store": _optional(_store),
    "mode": _mode,
    "token_lifetime": parse_number(int, 60, _DAY),
    "result_grace": parse_number(int, 0, _DAY),
    "poll_interval": parse_number(int, 1, 60),
    "face_timeout": parse_number(float, 0.1, 60),
    "face_retries": parse_number(int, 0, 5),
    "face_connections": parse_number(int, 1, 100_000),
    "allowed_origins": _origins,
    "notifiers": _notifiers,
    "plugins": _plugins,
    "event_max_age": parse_number(int, 60, 365 * _DAY),
    "review_timeout": parse_number(int, 60, 365 * _DAY),
    "detail_retention": parse_number(int, 0, 3650 * _DAY),
    "record_retention": parse_number(int, 3600, 3650 * _DAY),
    "worker_interval": parse_number(int, 1, 3600),
}
