"""Two hundred sessions at once over eight tenants, with faults on: each sees only its own."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from threading import Lock
from typing import TYPE_CHECKING, Any

import pytest
from tests.mockface.conftest import CLIENT, FORM, GA, OPTIONS, PREVIEW, PREVIEWS, form

from mockface import Mockface
from mockface.operations import VERSIONS
from mockface.remote.control_client import ControlClient
from mockface.remote.sending import Reply, Send, in_process, over_http
from mockface.wire import JSON

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTCOMES = {
    "real": "realface",
    "spoof": "spoofface",
    "uncertain+late": "uncertain",
    "mask,real": "realface",
    "too-bright": "ExcessiveFaceBrightness",
}
TENANTS, SESSIONS, THREADS = 8, 25, 25
MOST_TRIES = 60


@dataclass
class Customer:
    """One tenant and what it has seen of its own calls."""

    number: int
    url: str
    send: Send
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)
    created: list[str] = field(default_factory=list)
    cut: int = 0
    lock: Lock = field(default_factory=Lock)

    @property
    def key(self) -> str:
        return f"customer-{self.number}"

    @property
    def own(self) -> dict[str, str]:
        return {"Ocp-Apim-Subscription-Key": self.key}

    @property
    def version(self) -> str:
        return VERSIONS[self.number % len(VERSIONS)]

    @property
    def path(self) -> str:
        return (PREVIEW if self.version in PREVIEWS else GA)[False]

    def call(
        self, route: str, method: str, path: str, token: str = "", kind: str = "", body: bytes = b""
    ) -> Reply:
        """Tries until no fault hits; what arrives is counted by route and status."""
        headers = {"Authorization": f"Bearer {token}"} if token else self.own
        url = f"{self.url}/face/{self.version}{path}"
        for _ in range(MOST_TRIES):
            try:
                reply = self.send(method, url, headers | {"Content-Type": kind}, body)
            except HTTPException:
                with self.lock:
                    self.cut += 1
                continue
            with self.lock:
                self.seen[route, reply.status] += 1
            if reply.status not in (429, 503) and _is_whole(reply):
                return reply
        raise AssertionError(f"{route} never came through")

    def session(self, name: str) -> tuple[str, str]:
        """A whole session: its id, and how it ended."""
        fields = OPTIONS | {"deviceCorrelationId": f"mock-{name}:{self.number}"}
        if self.version == "v1.3-preview.1":
            fields["numberOfClientAttemptsAllowed"] = 3
        asked = json.dumps(fields).encode()
        created = json.loads(self.call("create", "POST", self.path, "", JSON, asked).body)
        session_id, token = created["sessionId"], created["authToken"]
        for _ in range(2 if "," in name else 1):
            self.call("attempt", "POST", CLIENT[False], token, FORM, form({}, {"Content": b"RIFF"}))
        with self.lock:
            self.created.append(session_id)
        return session_id, self.verdict(session_id)

    def verdict(self, session_id: str) -> str:
        for _ in range(MOST_TRIES):
            reply = self.call("result", "GET", f"{self.path}/{session_id}")
            outcome = _outcome(json.loads(reply.body))
            if outcome is not None:
                return str(outcome)
        raise AssertionError("the result never came out")


def _is_whole(reply: Reply) -> bool:
    try:
        return not reply.body or bool(json.loads(reply.body))
    except ValueError:
        return False


def _outcome(result: Any) -> Any:
    if "results" in result:
        newest = result["results"]["attempts"][0]
        said = newest.get("result") or newest
    else:
        said = result.get("result", {}).get("response", {}).get("body", {})
    return said.get("livenessDecision") or said.get("error", {}).get("code")


@pytest.fixture(params=["in process", "over a socket"])
def there(request: pytest.FixtureRequest) -> Iterator[tuple[str, Send]]:
    """The emulator, and the way to it."""
    if request.param == "in process":
        mock = Mockface(seed="parallel")
        yield "http://mock", in_process(mock.service.handle)
        return
    with Mockface(seed="parallel", threads=16) as mock:
        yield mock.url, over_http()


def test_two_hundred_sessions_at_once_over_eight_tenants(there: tuple[str, Send]) -> None:
    url, send = there
    customers = [Customer(number, url, send) for number in range(TENANTS)]
    everybody = ControlClient(url, send=send)

    # Given faults for everybody
    everybody.add_fault("create", status=503, retry_after=1, probability=0.2, count=0)
    everybody.add_fault("*", status=429, probability=0.1, count=0)
    everybody.add_fault("result", body="garbage", probability=0.2, count=0)
    everybody.add_fault("create", body="truncated", probability=0.1, count=0)

    # When all run at once, their sessions mixed
    names = [list(OUTCOMES)[n % len(OUTCOMES)] for n in range(SESSIONS)]
    jobs = [(customer, name) for name in names for customer in customers]
    with ThreadPoolExecutor(THREADS) as pool:
        ended = list(pool.map(lambda job: job[0].session(job[1]), jobs))
    everybody.clear_faults()

    # Then each session ended as its own device said
    assert [outcome for _, outcome in ended] == [OUTCOMES[name] for _, name in jobs]
    assert len({session_id for session_id, _ in ended}) == TENANTS * SESSIONS

    for customer in customers:
        mine = everybody.tenant(customer.key)
        entries = mine.journal.entries(limit=10_000)
        living = {session["sessionId"] for session in mine.sessions()}

        # each tenant sees only its own
        assert set(customer.created) <= living
        for other in customers:
            if other is not customer:
                assert not living & set(other.created)
                theirs = f"{url}/face/{customer.version}{customer.path}/{other.created[0]}"
                assert customer.send("GET", theirs, customer.own).status == 404

        # and what it has seen agrees with the journal, which saw what was cut off too
        noted = Counter((entry["route"], entry["status"]) for entry in entries)
        assert noted - customer.seen == Counter({("create", 200): customer.cut})
        assert customer.seen - noted == Counter()
        assert noted["create", 200] == len(living)
        assert sum(entry["fault"] is not None for entry in entries) > 20

    # and a fault of one customer is nobody else's
    everybody.tenant(customers[0].key).add_fault("delete", status=500)
    deleted = [
        customer.call("delete", "DELETE", f"{customer.path}/{customer.created[0]}").status
        for customer in customers
    ]
    assert deleted == [500, *(200 if each.version in PREVIEWS else 204 for each in customers[1:])]
