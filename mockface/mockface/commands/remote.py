"""Speaks to an emulator that runs somewhere else, through its control API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mockface.commands.parts import CommandError, url

if TYPE_CHECKING:
    import argparse

    from mockface.commands.parts import Parser

_SECONDS = 30.0
_BAD_REQUEST = 400


def add_place(parser: Parser) -> None:
    """Adds the options that say which emulator, and whose sessions in it."""
    parser.option(
        "--endpoint",
        type=url,
        metavar="URL",
        default="http://127.0.0.1:8178",
        variable="MOCKFACE_ENDPOINT",
        help="where the emulator runs; default: %(default)s",
    )
    parser.option(
        "--key",
        variable="MOCKFACE_KEY",
        help="whose sessions: the tenant of this resource key; without it, all of them (where the "
        "variable names several keys, its first)",
    )


def emulator(options: argparse.Namespace) -> Emulator:
    """The emulator that the options name."""
    key = (options.key or "").partition(",")[0]
    return Emulator(options.endpoint.rstrip("/"), key or None)


def show(value: object) -> None:
    """Prints an answer as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator.

    Attributes:
        endpoint: Scheme and host, with no slash at the end.
        key: The resource key of the tenant that is meant; `None` for all of them.
    """

    endpoint: str
    key: str | None = None

    def ask(
        self, method: str, place: str, body: object = None, *, timeout: float = _SECONDS
    ) -> Any:
        """Calls the control API.

        Args:
            method: In upper case.
            place: Below `/_mock`, with its query.
            body: Sent as JSON.
            timeout: Seconds to wait for the answer.

        Returns:
            The answer's JSON; `None` where it has no body.

        Raises:
            CommandError: Nothing runs there, it is no emulator, or it refuses.
        """
        status, headers, raw = self.send(method, f"/_mock/{place}", body, timeout=timeout)
        if "x-mockface" not in headers:
            raise CommandError(f"what runs at {self.endpoint} is no Mockface.")
        try:
            said: Any = json.loads(raw) if raw else None
        except ValueError:
            raise CommandError(f"the answer of {self.endpoint} is no JSON.") from None
        if status >= _BAD_REQUEST:
            raise CommandError(f"the emulator refuses ({status}): {said['error']['message']}")
        return said

    def send(
        self, method: str, path: str, body: object = None, *, timeout: float = _SECONDS
    ) -> tuple[int, dict[str, str], bytes]:
        """Sends a request; gives status, headers by names in lower case, and body.

        Raises:
            CommandError: Nothing answers there.
        """
        place = urlsplit(self.endpoint)
        connect = HTTPSConnection if place.scheme == "https" else HTTPConnection
        headers = {"Content-Type": "application/json"}
        if self.key is not None:
            headers["Ocp-Apim-Subscription-Key"] = self.key
        data = None if body is None else json.dumps(body).encode("ascii")
        try:
            connection = connect(place.hostname or "", place.port, timeout=timeout)
            try:
                connection.request(method, place.path + path, data, headers)
                response = connection.getresponse()
                named = {name.lower(): value for name, value in response.getheaders()}
                return response.status, named, response.read()
            finally:
                connection.close()
        except ConnectionRefusedError:
            raise CommandError(
                f"nothing runs at {self.endpoint}: start it with `mockface serve`, or name another "
                "with --endpoint."
            ) from None
        except (OSError, HTTPException, ValueError) as wrong:
            raise CommandError(f"{self.endpoint} does not answer: {wrong!r}") from None
