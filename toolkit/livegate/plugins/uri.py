"""The parsed URI of a store or a notifier."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from livegate.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_BEGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True, slots=True, repr=False)
class Uri:
    """What ``scheme://username:password@host:port/path?option=value`` says.

    Its ``repr`` shows the scheme, the host, the port and the names of the options: any other part
    may hold a secret.

    Attributes:
        scheme: In lower case.
        username: Percent-decoded, as are the other parts; None when there is none.
        password: None when there is none.
        host: In lower case; empty when there is none, as in ``sqlite:///PATH``.
        port: None when there is none.
        path: With its leading slash: ``/sessions.db`` for ``sqlite:///sessions.db``, and
            ``//srv/sessions.db`` for ``sqlite:////srv/sessions.db``.
        options: What follows the ``?``, by name.
        text: The URI as it was written, for drivers that parse it themselves.
    """

    scheme: str
    username: str | None = None
    password: str | None = None
    host: str = ""
    port: int | None = None
    path: str = ""
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    text: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: object) -> Self:
        """The parts of *text*.

        Raises:
            ValueError: It is not a URI. The message quotes nothing of it.
        """
        uri = text.strip() if isinstance(text, str) else ""
        if not _BEGIN.match(uri):
            raise ValueError("has to be a URI, which begins with SCHEME://")
        if not uri.isprintable():
            raise ValueError("holds a character that cannot be printed")
        if "#" in uri:
            raise ValueError("holds a '#': write %23 in its place")
        try:
            parts = urlsplit(uri)
            port = parts.port
        except ValueError:
            raise ValueError(
                "has a host or a port that cannot be read: percent-encode the characters / ? # @ : "
                "of a username or a password"
            ) from None
        options = parse_qsl(parts.query, keep_blank_values=True)
        if len(dict(options)) != len(options):
            raise ValueError("has an option twice")
        return cls(
            scheme=parts.scheme.lower(),
            username=_decoded(parts.username),
            password=_decoded(parts.password),
            host=unquote(parts.hostname or ""),
            port=port,
            path=unquote(parts.path),
            options=dict(options),
            text=uri,
        )

    def check_options(self, *known: str) -> None:
        """Check that there are no other options than the *known* ones.

        Raises:
            ConfigurationError: There are; the message does not quote them.
        """
        if not self.options.keys() <= set(known):
            takes = f"the options {', '.join(known)}" if known else "no options"
            raise ConfigurationError(f"A URI with the scheme {self.scheme} takes {takes} only.")

    def __repr__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        user = "***@" if self.username or self.password else ""
        path = "/***" if self.path.strip("/") else self.path
        options = "&".join(f"{name}=***" for name in self.options)
        query = f"?{options}" if options else ""
        return f"<Uri {self.scheme}://{user}{self.host}{port}{path}{query}>"


def _decoded(part: str | None) -> str | None:
    return None if part is None else unquote(part)
