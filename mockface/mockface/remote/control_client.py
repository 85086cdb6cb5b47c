"""A hand on the emulator from Python: what a test tells it and asks of it.

It speaks the control API and needs the standard library only.
"""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode, urlsplit

from mockface.addresses import LONGEST_KEY, is_key, is_url
from mockface.errors import ControlError
from mockface.remote.clock import RemoteClock
from mockface.remote.journal import RemoteJournal
from mockface.remote.sending import Send, over_http
from mockface.remote.simulated_client import LivenessDetectionSuccess, SimulatedClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mockface.remote.sending import Reply

_PREFIX = "/_mock"
_KEY_HEADER = "Ocp-Apim-Subscription-Key"
_MOCK_HEADER = "x-mockface"  # all answers of the emulator have it
_JSON = "application/json"
_BAD_REQUEST = 400
_TIMEOUT = 90.0  # longer than the emulator waits for an entry of its journal

Json = dict[str, Any]


class ControlClient:
    """Tells a running emulator what to do.

    Args:
        url: Where it is, `http://127.0.0.1:8178`.
        key: Whose sessions, scenario, clock, faults and journal are meant; empty means the whole
            emulator.
        send: How it is reached; by default over HTTP.

    All methods raise `ControlError` if the emulator refuses or does not answer.

    Raises:
        ValueError: The URL or the key is none.
    """

    # A misspelt `hand.scenaro = "spoof"` has to fail, or the test goes on with another scenario.
    __slots__ = ("_send", "key", "url")

    def __init__(self, url: str, key: str = "", *, send: Send | None = None) -> None:
        if not is_url(url):
            raise ValueError("url must be where the emulator is, such as http://127.0.0.1:8178.")
        if key != "" and not is_key(key):
            raise ValueError(
                f"key must be a resource key of 1 to {LONGEST_KEY} printable characters of ASCII, "
                "or be left out for the whole emulator."
            )
        self.url = url.rstrip("/")
        self.key = key
        self._send = send or over_http(_TIMEOUT)

    def __repr__(self) -> str:
        whose = "one tenant" if self.key else "the whole emulator"
        return f"<ControlClient for {whose} at {self.url}>"

    def tenant(self, key: str) -> ControlClient:
        """A hand on the tenant of this resource key, in the same emulator."""
        return ControlClient(self.url, key, send=self._send)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that name a Face resource, for the code under test."""
        return {"VISION_ENDPOINT": f"{self.url}/"} | ({"VISION_KEY": self.key} if self.key else {})

    def about(self) -> Json:
        """What there is: API versions, scenarios, routes that faults can hit, control calls."""
        return self._object("GET", "")

    # --- what attempts will be

    @property
    def scenario(self) -> str:
        """What an attempt is when nobody says otherwise."""
        return str(self._object("GET", "scenario")["scenario"])

    @scenario.setter
    def scenario(self, name: str) -> None:
        self.call("PUT", "scenario", {"scenario": name})

    def queue(self) -> list[str]:
        """The scenarios that wait for the next sessions."""
        return list(self._object("GET", "queue")["scenarios"])

    def enqueue(self, *scenarios: str) -> list[str]:
        """Binds the next sessions to these scenarios, one each; gives the queue back."""
        return list(self._object("POST", "queue", {"scenarios": scenarios})["scenarios"])

    def pin(self, session_id: str, scenario: str) -> None:
        """Binds a session to a scenario."""
        self.call(
            "PUT", f"sessions/{quote(str(session_id), safe='')}/scenario", {"scenario": scenario}
        )

    @property
    def pace(self) -> str:
        """When results are out when nobody says otherwise: `at-once`, `3reads` or `30s`."""
        return str(self._object("GET", "pace")["pace"])

    @pace.setter
    def pace(self, pace: str) -> None:
        self.call("PUT", "pace", {"pace": pace})

    def pin_pace(self, session_id: str, pace: str) -> None:
        """Binds a session to a pace; `at-once` lets out what is late."""
        self.call("PUT", f"sessions/{quote(str(session_id), safe='')}/pace", {"pace": pace})

    # --- what happens

    def sessions(self) -> list[Json]:
        """The living sessions, oldest first, without their tokens."""
        return list(self._object("GET", "sessions")["sessions"])

    def attempt(
        self,
        token: str,
        scenario: str | None = None,
        *,
        failure: str | None = None,
        recognition_failure: str | None = None,
        content: bytes | None = None,
        verify_image: bytes | None = None,
        api_version: str = "v1.2",
    ) -> LivenessDetectionSuccess:
        """Makes an attempt as the front end would; see `SimulatedClient`.

        Raises:
            LivenessDetectionError: The attempt did not end in a decision.
        """
        camera = SimulatedClient(
            endpoint=self.url,
            api_version=api_version,
            scenario=scenario,
            failure=failure,
            recognition_failure=recognition_failure,
            send=self._send,
        )
        return camera.start(token, content=content, verify_image=verify_image)

    @property
    def journal(self) -> RemoteJournal:
        """What was asked and answered lately; with a key the tenant's own."""
        return RemoteJournal(self.call)

    # --- time

    @property
    def clock(self) -> RemoteClock:
        """The clock; with a key the tenant's own, which moves no other tenant's sessions."""
        return RemoteClock(self.call)

    # --- what goes wrong

    def faults(self) -> list[Json]:
        """The faults that wait, oldest first."""
        return list(self._object("GET", "faults")["faults"])

    def add_fault(
        self,
        route: str = "*",
        *,
        status: int | None = None,
        retry_after: int | None = None,
        body: str = "service",
        delay: float | Mapping[str, float] | None = None,
        cut_after: int | None = None,
        bytes_per_second: float | None = None,
        reset: bool = False,
        count: int = 1,
        probability: float = 1.0,
        seconds: float | None = None,
    ) -> Json:
        """Lets the next answers of a route go wrong; gives the fault as it waits.

        Args:
            route: An operation such as `create`, or a pattern such as `result*`.
            status: Of the answer; the operation is then not carried out.
            retry_after: Seconds in a `Retry-After` header.
            body: What the answer's body is: `service`, `gateway`, `garbage`, `truncated`, `empty`.
            delay: Seconds before the answer, or how they are drawn: `{"low": 1, "high": 2}`,
                `{"median": 1, "sigma": 0.5}`.
            cut_after: Bytes of the body after which the connection is closed.
            bytes_per_second: How fast the body goes.
            reset: The connection is reset instead of an answer.
            count: How many answers are hit; 0 is all of them.
            probability: How likely it hits an answer that fits.
            seconds: After how many of them it ends.
        """
        fields = {_camel(name): value for name, value in locals().items() if name != "self"}
        return self._object("POST", "faults", fields)

    def drop_fault(self, number: int) -> None:
        """Drops one of them, by its `id`."""
        self.call("DELETE", f"faults/{number}")

    def clear_faults(self) -> None:
        """Drops them all."""
        self.call("DELETE", "faults")

    @property
    def tier(self) -> str:
        """The price tier whose rate limit holds, `F0` or `S0`; `none` for no limit."""
        return str(self._object("GET", "limit")["tier"])

    @tier.setter
    def tier(self, name: str) -> None:
        self.call("PUT", "limit", {"tier": name})

    # --- all of it

    def reset(self) -> None:
        """Forgets sessions, queue, scenario, faults, journal and moved time."""
        self.call("POST", "reset")

    # --- who there is

    def person(self, seed: int | str = 1) -> Json:
        """Somebody who was made up from a seed, with device and user agent."""
        return self._object("GET", f"people/{quote(str(seed), safe='')}")

    def portrait(
        self, seed: int | str = 1, suffix: Literal["jpg", "png"] = "jpg", **options: object
    ) -> bytes:
        """The portrait of the person of this seed: a reference image.

        Args:
            seed: Whose portrait.
            suffix: The kind of file.
            **options: What makes it a bad one: `faces`, `mask`, `glasses`, `blur`, `light` and
                `turned`, as `mockface.images.portrait` has them.
        """
        query = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in options.items()
        }
        path = f"portraits/{quote(str(seed), safe='')}.{suffix}"
        return bytes(self.call("GET", path, query=query))

    # --- the way to it

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        """Makes any call of the control API.

        Args:
            method: In upper case.
            path: Below `/_mock/`.
            body: Sent as JSON, unless it is `None`.
            query: The fields of the query.

        Returns:
            What the answer's JSON says; `None` for an answer without a body, bytes for one that is
            no JSON, such as a portrait.

        Raises:
            ValueError: The body cannot be sent as JSON.
        """
        reply = self._ask(method, path, body, query)
        if not reply.body:
            return None
        is_json = reply.headers.get("content-type", "").startswith(_JSON)
        return json.loads(reply.body) if is_json else reply.body

    def _object(self, method: str, path: str, body: object = None) -> Json:
        answered: Json = self.call(method, path, body)
        return answered

    def _ask(
        self,
        method: str,
        path: str,
        body: object = None,
        query: Mapping[str, object] | None = None,
    ) -> Reply:
        target = f"{self.url}{_PREFIX}/{path}".rstrip("/")
        if query:
            target += f"?{urlencode(query)}"
        headers = {_KEY_HEADER: self.key} if self.key else {}
        data = b""
        if body is not None:
            data = _as_json(body)
            headers["Content-Type"] = _JSON
        try:
            reply = self._send(method, target, headers, data)
        except (OSError, HTTPException, ValueError) as wrong:
            why = getattr(wrong, "strerror", None) or wrong
            raise ControlError(f"No mockface answers at {self._place()}: {why}") from wrong
        if _MOCK_HEADER not in reply.headers:
            raise ControlError(f"What answers at {self._place()} is no mockface.")
        if reply.status >= _BAD_REQUEST:
            raise _refusal(reply.status, reply.body)
        return reply

    def _place(self) -> str:
        """The URL as it may stand in a message: without a password."""
        where = urlsplit(self.url)
        return f"{where.scheme}://{where.netloc.rpartition('@')[2]}"


def _as_json(body: object) -> bytes:
    """A body as it is sent; of an object, what is wrong with it is named by its field."""
    for name, value in body.items() if isinstance(body, dict) else [("body", body)]:
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as wrong:
            raise ValueError(
                f"{name} must be made of texts, numbers, lists and dicts, to be sent as JSON: "
                f"{wrong}."
            ) from None
    return json.dumps(body).encode("ascii")


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def _refusal(status: int, body: bytes) -> ControlError:
    error = json.loads(body)["error"]
    return ControlError(error["message"], status=status, code=error["code"])
