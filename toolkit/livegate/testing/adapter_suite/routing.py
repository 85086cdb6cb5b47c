"""Which paths and methods there are, and who may call them."""
# ruff: noqa: S101, PLR2004 - tests

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from livegate.testing.adapter_suite.backend import ALLOWED_ORIGIN
from livegate.testing.adapter_suite.base import AdapterSuite, assert_problem, start

if TYPE_CHECKING:
    from livegate.testing.adapter_suite.http1 import HttpClient
    from livegate.testing.doubles import FakeFaceService

NO_SESSION: Final = "x" * 32

ON_ONE_SESSION: Final = (
    ("GET", "/sessions/{}"),
    ("HEAD", "/sessions/{}"),
    ("POST", "/sessions/{}/finish"),
    ("POST", "/sessions/{}/retry"),
    ("DELETE", "/sessions/{}"),
)
ON_ALL: Final = (("POST", "/sessions"), ("GET", "/sessions"), ("HEAD", "/sessions"))
UNSAFE: Final = tuple(each for each in (*ON_ALL, *ON_ONE_SESSION) if each[0] in {"POST", "DELETE"})


class Routing(AdapterSuite):
    """Paths and methods."""

    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/nothing",
            "/sessions/",
            "//sessions",
            "/sessions//",
            "/sessions//finish",
            "/sessions/x/",
            "/sessions/x/nothing",
            "/sessions/x/finish/",
            "/sessions/x//finish",
            "/sessions/a/b/c",
            "/sessions%0A",
            "/%0A/sessions",
            "/openapi.json/",
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
    def test_unknown_path_is_a_404_problem(
        self, http: HttpClient, alice: str, method: str, path: str
    ) -> None:
        """Given a path that is not in the document: no redirect, and no page of the framework."""
        assert_problem(http.send(method, path, user=alice), 404, "path_unknown")

    @pytest.mark.parametrize("session_id", ["x", "%0A", "%00", "%FF", "%zz", "..%2f", "%C3%A9"])
    def test_strange_session_id_is_a_404_problem(
        self, http: HttpClient, alice: str, session_id: str
    ) -> None:
        """Given what no session is called: nothing but the usual 404."""
        for method, path in (("GET", "/sessions/{}"), ("POST", "/sessions/{}/finish")):
            response = http.send(method, path.format(session_id), user=alice)
            assert response.status == 404

    def test_path_is_percent_decoded(self, http: HttpClient, alice: str) -> None:
        """Given a letter of a path in its other spelling: the same path."""
        session_id = start(http, alice)
        spelled = f"%{ord(session_id[0]):02X}{session_id[1:]}"

        assert http.send("GET", f"/sessions/{spelled}", user=alice).json["sessionId"] == session_id

    @pytest.mark.parametrize(
        ("path", "allowed"),
        [
            ("/sessions", {"GET", "HEAD", "POST"}),
            (f"/sessions/{NO_SESSION}", {"GET", "HEAD", "DELETE"}),
            (f"/sessions/{NO_SESSION}/finish", {"POST"}),
            (f"/sessions/{NO_SESSION}/retry", {"POST"}),
            ("/sessions/%0A/finish", {"POST"}),
            ("/openapi.json", {"GET", "HEAD"}),
        ],
    )
    @pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT", "PATCH", "MADEUP"])
    def test_other_method_is_a_405_problem_that_names_the_allowed_ones(
        self, http: HttpClient, alice: str, method: str, path: str, allowed: set[str]
    ) -> None:
        """Given a known path: the core responds, also to what frameworks do by themselves."""
        response = http.send(method, path, user=alice)

        assert_problem(response, 405, "method_not_allowed")
        assert set((response.header("Allow") or "").split(", ")) == allowed

    def test_head_is_get_without_a_body(self, http: HttpClient, alice: str) -> None:
        """Given any path that can be read: the same status and headers."""
        session_id = start(http, alice)

        for path in (f"/sessions/{session_id}", "/sessions", "/openapi.json", "/nothing"):
            get, head = (http.send(method, path, user=alice) for method in ("GET", "HEAD"))
            assert (head.status, head.body) == (get.status, b"")
            for name in ("Content-Type", "Cache-Control", "Content-Length"):
                assert head.header(name) == get.header(name)

    def test_head_changes_nothing(
        self, http: HttpClient, alice: str, face: FakeFaceService
    ) -> None:
        """Given a session that waits for its result: HEAD does not ask the service."""
        session_id = start(http, alice)
        http.send("POST", f"/sessions/{session_id}/finish", user=alice)
        calls = list(face.calls)

        assert http.send("HEAD", f"/sessions/{session_id}", user=alice).status == 200
        assert face.calls == calls


class Owners(AdapterSuite):
    """Every operation, for the owner, for another user, and for nobody."""

    @pytest.mark.parametrize(("method", "path"), ON_ONE_SESSION)
    def test_another_users_session_looks_like_none(
        self, http: HttpClient, alice: str, bob: str, method: str, path: str
    ) -> None:
        """Given Alice's session and none at all: Bob's responses are the same to the byte."""
        session_id = start(http, alice)
        before = http.send("GET", f"/sessions/{session_id}", user=alice)

        hers = http.send(method, path.format(session_id), user=bob)
        none = http.send(method, path.format(NO_SESSION), user=bob)

        assert hers.status == none.status == 404
        assert hers.body == none.body
        assert _without_date(hers.headers) == _without_date(none.headers)
        after = http.send("GET", f"/sessions/{session_id}", user=alice)
        assert after.body == before.body

    @pytest.mark.parametrize(("method", "path"), ON_ONE_SESSION)
    def test_owner_can_call_every_operation(
        self, http: HttpClient, alice: str, method: str, path: str
    ) -> None:
        """Given Alice's session: none of her requests is rejected."""
        response = http.send(method, path.format(start(http, alice)), user=alice)

        assert response.status < 300

    @pytest.mark.parametrize(("method", "path"), [*ON_ONE_SESSION, *ON_ALL])
    def test_nobody_is_asked_to_sign_in(
        self, http: HttpClient, alice: str, method: str, path: str
    ) -> None:
        """Given a session, and a request of nobody: a 401, and the session is as it was."""
        session_id = start(http, alice)
        before = http.send("GET", "/sessions", user=alice)

        response = http.send(method, path.format(session_id))

        assert response.status == 401
        if method != "HEAD":
            assert_problem(response, 401, "subject_required")
        assert http.send("GET", "/sessions", user=alice).body == before.body

    def test_list_holds_ones_own_sessions(self, http: HttpClient, alice: str, bob: str) -> None:
        """Given sessions of two users: each sees his own."""
        mine = {start(http, alice) for _ in range(2)}
        start(http, bob)

        listed = http.send("GET", "/sessions", user=alice).json["sessions"]

        assert {each["sessionId"] for each in listed} == mine

    def test_document_needs_nobody(self, http: HttpClient) -> None:
        """Given a request of nobody: the OpenAPI document is public."""
        document = http.send("GET", "/openapi.json").json

        assert document["openapi"].startswith("3.1")
        assert document["servers"] == [{"url": http.prefix or "/"}]


class CrossSite(AdapterSuite):
    """Requests that pages of other sites send with the user's cookies."""

    @pytest.mark.parametrize(
        ("headers", "passes"),
        [
            ({}, True),
            ({"Sec-Fetch-Site": "same-origin"}, True),
            ({"Sec-Fetch-Site": "none"}, True),
            ({"Sec-Fetch-Site": "same-origin", "Origin": "http://{host}"}, True),
            ({"Sec-Fetch-Site": "same-site"}, False),
            ({"Sec-Fetch-Site": "cross-site"}, False),
            ({"Sec-Fetch-Site": "made-up"}, False),
            ({"Sec-Fetch-Site": "cross-site", "Origin": "http://{host}"}, False),
            ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"}, False),
            ({"Sec-Fetch-Site": "cross-site", "Origin": ALLOWED_ORIGIN}, True),
            ({"Sec-Fetch-Site": "same-site", "Origin": ALLOWED_ORIGIN}, True),
            ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, False),
            ({"Origin": "http://{host}"}, True),
            ({"Origin": "https://{host}"}, True),
            ({"Origin": "https://evil.test"}, False),
            ({"Origin": "https://{host}.evil.test"}, False),
            ({"Origin": "https://evil.test/{host}"}, False),
            ({"Origin": "http://{host}0"}, False),
            ({"Origin": "{host}"}, False),
            ({"Origin": ALLOWED_ORIGIN}, True),
            ({"Origin": f"{ALLOWED_ORIGIN}:444"}, False),
            ({"Origin": "http" + ALLOWED_ORIGIN.removeprefix("https")}, False),
            ({"Origin": "null"}, False),
        ],
    )
    def test_start_from_a_page(
        self,
        http: HttpClient,
        alice: str,
        headers: dict[str, str],
        passes: bool,  # noqa: FBT001
    ) -> None:
        """Given what a browser says of the page: only pages of this site, and allowed ones."""
        filled = {name: value.format(host=http.host) for name, value in headers.items()}

        response = http.send("POST", "/sessions", user=alice, headers=filled)

        if passes:
            assert response.status == 201
        else:
            assert_problem(response, 403, "cross_site_request")
            assert "LIVEGATE" not in response.json["detail"]
            assert http.send("GET", "/sessions", user=alice).json["sessions"] == []

    @pytest.mark.parametrize(("method", "path"), UNSAFE)
    def test_other_site_can_change_nothing(
        self, http: HttpClient, alice: str, method: str, path: str
    ) -> None:
        """Given a page of another site: none of its requests changes anything."""
        session_id = start(http, alice)
        before = http.send("GET", "/sessions", user=alice)

        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}):
            response = http.send(method, path.format(session_id), user=alice, headers=headers)
            assert_problem(response, 403, "cross_site_request")

        assert http.send("GET", "/sessions", user=alice).body == before.body

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_links_from_other_sites_work(self, http: HttpClient, alice: str, method: str) -> None:
        """Given a request that changes nothing: where it comes from does not matter."""
        headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"}

        assert http.send(method, "/sessions", user=alice, headers=headers).status == 200

    def test_checks_come_in_order(self, http: HttpClient) -> None:
        """Given a request that is wrong in every way: path, method, site, user, body."""
        foreign = {"Origin": "https://evil.test", "Content-Type": "text/plain"}

        def post(path: str, headers: dict[str, str], method: str = "POST") -> str:
            code: str = http.send(method, path, headers=headers, body=b"x").json["code"]
            return code

        assert post("/nothing", foreign, "PUT") == "path_unknown"
        assert post("/sessions", foreign, "PUT") == "method_not_allowed"
        assert post("/sessions", foreign) == "cross_site_request"
        assert post("/sessions", {"Content-Type": "text/plain"}) == "subject_required"


def _without_date(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() != "date"}
