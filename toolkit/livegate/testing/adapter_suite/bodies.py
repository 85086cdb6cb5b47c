"""What a request may hold: types, limits, JSON, forms and queries."""
# ruff: noqa: S101, PLR2004 - tests

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from livegate.models import SessionState
from livegate.testing.adapter_suite.backend import JPEG
from livegate.testing.adapter_suite.base import AdapterSuite, assert_problem, start
from livegate.testing.adapter_suite.http1 import form_body, form_type

if TYPE_CHECKING:
    from livegate.testing.adapter_suite.http1 import HttpClient
    from livegate.testing.doubles import FakeFaceService

MIB: Final = 1 << 20
FORM: Final = form_body(("purpose", b"enrol"), ("referenceImage", JPEG))


def _json(content: object) -> bytes:
    return json.dumps(content).encode()


class Bodies(AdapterSuite):
    """Bodies that cannot be used are rejected, with a code and the field that is wrong."""

    @pytest.mark.parametrize(
        ("body", "code", "field"),
        [
            (b"{", "invalid_json", None),
            (b"\xff", "invalid_json", None),
            (b"[1]", "invalid_json", None),
            (b"null", "invalid_json", None),
            (b"[" * 9000, "invalid_json", None),
            (b"9" * 9000, "invalid_json", None),
            (_json("x").replace(b"x", b"\xed\xa0\x80"), "invalid_json", None),
            (_json({"purpose": 5}), "invalid_field", "purpose"),
            (_json({"purpose": {}}), "invalid_field", "purpose"),
            (_json({"transaction": ""}), "invalid_field", "transaction"),
            (_json({"transaction": "x" * 129}), "invalid_field", "transaction"),
            (_json({"transaction": "a\0b"}), "invalid_request", "transaction"),
            (b'{"transaction": "\\ud800"}', "invalid_request", "transaction"),
            (_json({"subject": "bob"}), "unknown_field", "subject"),
            (_json({"referenceImage": "x"}), "unknown_field", "referenceImage"),
            (_json({"a b<\x7f\u20ac>" + "x" * 99: 1}), "unknown_field", "a?b????" + "x" * 57),
            (b'{"purpose": "default", "purpose": "payout"}', "duplicate_field", "purpose"),
        ],
    )
    def test_json_that_cannot_be_used(
        self, http: HttpClient, alice: str, body: bytes, code: str, field: str | None
    ) -> None:
        """Given a start with such a body: a 400 that names the field, and no session."""
        assert_problem(http.json("POST", "/sessions", body, user=alice), 400, code, field)
        assert http.send("GET", "/sessions", user=alice).json["sessions"] == []

    @pytest.mark.parametrize(
        ("content", "code", "field"),
        [
            ({"digest": "no hex"}, "invalid_field", "digest"),
            ({"digest": ""}, "invalid_field", "digest"),
            ({"digest": "A" * 129}, "invalid_field", "digest"),
            ({"digest": "A0\n"}, "invalid_field", "digest"),
            ({"clientError": "<b>"}, "invalid_field", "clientError"),
            ({"clientError": "x" * 65}, "invalid_field", "clientError"),
            ({"verdict": "passed"}, "unknown_field", "verdict"),
        ],
    )
    def test_report_that_cannot_be_used(
        self, http: HttpClient, alice: str, content: Any, code: str, field: str
    ) -> None:
        """Given a finish with such a report: a 400, and the session is as it was."""
        path = f"/sessions/{start(http, alice)}"

        response = http.json("POST", f"{path}/finish", content, user=alice)

        assert_problem(response, 400, code, field)
        assert http.send("GET", path, user=alice).json["state"] == "ready"

    @pytest.mark.parametrize(
        ("headers", "body"),
        [
            ({"Content-Type": "application/json"}, b""),
            ({"Content-Type": "application/json"}, b"{}"),
            ({"Content-Type": "Application/JSON; charset=utf-8"}, b"{}"),
            ({"Content-Type": "application/json"}, b'{"purpose": null, "transaction": null}'),
            ({}, b""),
        ],
    )
    def test_field_may_be_left_out(
        self, http: HttpClient, alice: str, headers: dict[str, str], body: bytes
    ) -> None:
        """Given a start that says nothing: the purpose is ``default``."""
        response = http.send("POST", "/sessions", user=alice, headers=headers, body=body)

        assert response.status == 201
        (session,) = http.send("GET", "/sessions", user=alice).json["sessions"]
        assert (session["purpose"], session["transaction"]) == ("default", None)

    @pytest.mark.parametrize(
        "media_type",
        ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "", "\xe9"],
    )
    def test_other_media_type_is_a_415(self, http: HttpClient, alice: str, media_type: str) -> None:
        """Given a body that is neither JSON nor a form."""
        headers = {"Content-Type": media_type} if media_type else {}

        response = http.send("POST", "/sessions", user=alice, headers=headers, body=b"{}")

        assert_problem(response, 415, "unsupported_media_type", "Content-Type")

    def test_finish_takes_no_form(self, http: HttpClient, alice: str) -> None:
        """Given a form where only JSON is expected."""
        response = http.form(f"/sessions/{start(http, alice)}/finish", user=alice)

        assert_problem(response, 415, "unsupported_media_type", "Content-Type")

    @pytest.mark.parametrize(
        ("media_type", "size"),
        [("application/json", 16 * 1024), (form_type(), 6 * MIB + 64 * 1024)],
    )
    def test_body_over_its_limit_is_a_413(
        self, http: HttpClient, alice: str, media_type: str, size: int
    ) -> None:
        """Given a body that is one byte too long."""
        headers = {"Content-Type": media_type}
        body = b" " * (size + 1)

        response = http.send("POST", "/sessions", user=alice, headers=headers, body=body)

        assert_problem(response, 413, "body_too_large")

    def test_json_at_its_limit_is_read(self, http: HttpClient, alice: str) -> None:
        """Given a body that is just as long as it may be."""
        assert http.json("POST", "/sessions", b"{}".ljust(16 * 1024), user=alice).status == 201

    @pytest.mark.parametrize("length", [20 * 1024, 10**9, 10**30])
    def test_huge_body_is_rejected_before_it_comes(
        self, http: HttpClient, alice: str, length: int
    ) -> None:
        """Given a client that announces a long body and does not send it: it gets a response."""
        self._need_early_calls()
        headers = {"Content-Type": "application/json", "Content-Length": str(length)}

        response = http.send("POST", "/sessions", user=alice, headers=headers)

        assert_problem(response, 413, "body_too_large")

    def test_huge_body_is_rejected_before_the_client_is_told_to_go_on(
        self, http: HttpClient, alice: str
    ) -> None:
        """Given a client that waits for 100 Continue before it sends: it may get its response."""
        self._need_early_calls()
        headers = {
            "Content-Type": form_type(),
            "Content-Length": str(10**9),
            "Expect": "100-continue",
        }

        response = http.send("POST", "/sessions", user=alice, headers=headers)

        assert_problem(response, 413, "body_too_large")

    def test_chunked_body_is_read(self, http: HttpClient, alice: str) -> None:
        """Given a body without a length: it is not taken for an empty one."""
        headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
        body = b'5\r\n{"pur\r\n10\r\npose": "nothing"\r\n1\r\n}\r\n0\r\n\r\n'

        response = http.send("POST", "/sessions", user=alice, headers=headers, body=body)

        assert_problem(response, 422, "unknown_purpose", "purpose")

    def test_body_of_nobody_is_not_read(self, http: HttpClient) -> None:
        """Given nobody who is signed in: the response comes before the body."""
        self._need_early_calls()
        headers = {"Content-Type": form_type(), "Content-Length": "5000"}

        assert_problem(http.send("POST", "/sessions", headers=headers), 401, "subject_required")

    def _need_early_calls(self) -> None:
        if self.server_waits_for_bodies:
            pytest.skip("the server reads the whole body before it calls the application")


class Forms(AdapterSuite):
    """Forms, with the reference image."""

    def test_image_of_a_form_reaches_the_service(
        self, http: HttpClient, alice: str, face: FakeFaceService
    ) -> None:
        """Given a purpose that takes the client's image."""
        response = http.form(
            "/sessions", ("purpose", b"enrol"), ("referenceImage", JPEG), user=alice
        )

        assert response.status == 201
        image = face.requests[-1].reference_image
        assert image is not None
        assert image.content == JPEG
        view = http.send("GET", f"/sessions/{response.json['sessionId']}", user=alice).json
        assert (view["kind"], view["purpose"]) == ("livenessWithVerify", "enrol")

    def test_image_of_the_largest_size_is_taken(
        self, http: HttpClient, alice: str, face: FakeFaceService
    ) -> None:
        """Given an image of 6 MiB, with line breaks and what looks like a boundary in it."""
        filler = b"\r\n--a-bound\r\n--\r\n-\r" * (6 * MIB // 20)
        image = (JPEG[:4] + filler)[: 6 * MIB - 2] + JPEG[-2:]

        response = http.form(
            "/sessions", ("referenceImage", image), ("purpose", b"enrol"), user=alice
        )

        assert response.status == 201
        sent = face.requests[-1].reference_image
        assert sent is not None
        assert sent.content == image

    def test_form_may_have_no_image(self, http: HttpClient, alice: str) -> None:
        """Given a form with the fields alone: the same as JSON."""
        response = http.form(
            "/sessions",
            ("purpose", b"payout"),
            ("transaction", "Miete für Mai".encode()),
            user=alice,
        )

        assert response.status == 201
        (session,) = http.send("GET", "/sessions", user=alice).json["sessions"]
        assert session["transaction"] == "Miete für Mai"

    @pytest.mark.parametrize(
        ("parts", "code", "field"),
        [
            ([("purpose", b"a"), ("purpose", b"b")], "duplicate_field", "purpose"),
            ([("referenceImage", JPEG)] * 2, "duplicate_field", "referenceImage"),
            ([("photo", JPEG)], "unknown_field", "photo"),
            ([("digest", b"A0")], "unknown_field", "digest"),
            ([("purpose", b"\xff")], "invalid_field", "purpose"),
            ([("transaction", b"x" * 129)], "invalid_field", "transaction"),
            ([("", b"x")], "unknown_field", ""),
        ],
    )
    def test_form_that_cannot_be_used(
        self,
        http: HttpClient,
        alice: str,
        parts: list[tuple[str, bytes]],
        code: str,
        field: str,
    ) -> None:
        """Given a start with such a form: a 400 that names the field, and no session."""
        assert_problem(http.form("/sessions", *parts, user=alice), 400, code, field)
        assert http.send("GET", "/sessions", user=alice).json["sessions"] == []

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\r\n",
            b"no form",
            FORM[:-6],
            FORM[:90],
            FORM[:20],
            FORM.replace(b"a-boundary", b"b-boundary"),
            FORM.replace(b"name=", b"nam="),
            FORM.replace(b"Content-Disposition", b"Content Disposition"),
            b"--a-boundary\r\n\r\nx\r\n--a-boundary--\r\n",
        ],
    )
    def test_broken_form_is_a_400(self, http: HttpClient, alice: str, body: bytes) -> None:
        """Given a form that was cut off, or is not one."""
        headers = {"Content-Type": form_type()}

        response = http.send("POST", "/sessions", user=alice, headers=headers, body=body)

        assert response.status == 400
        assert response.json["code"] in {"invalid_form", "unknown_field"}

    @pytest.mark.parametrize(
        "media_type",
        [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            'multipart/form-data; boundary=""',
            "multipart/form-data; boundary=other",
            f"multipart/form-data; boundary={'x' * 5000}",
            "multipart/form-data; boundary=\xe9",
            "multipart/form-data; charset=utf-8",
        ],
    )
    def test_form_without_its_boundary_is_a_400(
        self, http: HttpClient, alice: str, media_type: str
    ) -> None:
        """Given a Content-Type that does not fit."""
        headers = {"Content-Type": media_type}

        response = http.send("POST", "/sessions", user=alice, headers=headers, body=FORM)

        assert_problem(response, 400, "invalid_form")


class Queries(AdapterSuite):
    """The query of the list."""

    @pytest.mark.parametrize(
        ("query", "code", "field"),
        [
            ("limit=0", "invalid_field", "limit"),
            ("limit=101", "invalid_field", "limit"),
            ("limit=-1", "invalid_field", "limit"),
            ("limit=ten", "invalid_field", "limit"),
            ("limit=", "invalid_field", "limit"),
            ("limit=1.0", "invalid_field", "limit"),
            ("limit=%D9%A3", "invalid_field", "limit"),
            (f"limit={'1' * 3000}", "invalid_field", "limit"),
            ("limit=1&limit=2", "duplicate_field", "limit"),
            ("state=maybe", "invalid_field", "state"),
            ("state=READY", "invalid_field", "state"),
            ("cursor=garbage", "invalid_request", "cursor"),
            ("cursor=", "invalid_request", "cursor"),
            ("subject=bob", "unknown_field", "subject"),
            ("limit=%FF", "invalid_query", None),
            ("&".join(["limit=1"] * 100), "invalid_query", None),
        ],
    )
    def test_query_that_cannot_be_used(
        self, http: HttpClient, alice: str, query: str, code: str, field: str | None
    ) -> None:
        """Given a list with such a query: a 400 that names the parameter."""
        assert_problem(http.send("GET", f"/sessions?{query}", user=alice), 400, code, field)

    def test_page_holds_twenty_sessions_unless_asked_otherwise(
        self, http: HttpClient, alice: str
    ) -> None:
        """Given 21 sessions."""
        for _ in range(21):
            start(http, alice)

        assert len(http.send("GET", "/sessions", user=alice).json["sessions"]) == 20
        assert len(http.send("GET", "/sessions?limit=100", user=alice).json["sessions"]) == 21
        assert len(http.send("GET", "/sessions?limit=1", user=alice).json["sessions"]) == 1

    def test_pages_follow_each_other(self, http: HttpClient, alice: str) -> None:
        """Given three sessions and pages of two."""
        mine = {start(http, alice) for _ in range(3)}

        first = http.send("GET", "/sessions?limit=2", user=alice).json
        second = http.send(
            "GET", f"/sessions?limit=2&cursor={first['nextCursor']}", user=alice
        ).json

        seen = [each["sessionId"] for each in first["sessions"] + second["sessions"]]
        assert (len(seen), set(seen), second["nextCursor"]) == (3, mine, None)

    def test_list_is_filtered_by_state(self, http: HttpClient, alice: str) -> None:
        """Given one session that is ready, and one that is cancelled."""
        ready, cancelled = start(http, alice), start(http, alice)
        http.send("DELETE", f"/sessions/{cancelled}", user=alice)

        def listed(states: str) -> set[str]:
            response = http.send("GET", f"/sessions?state={states}", user=alice)
            return {each["sessionId"] for each in response.json["sessions"]}

        assert listed("ready") == {ready}
        assert listed("cancelled,passed") == {cancelled}
        assert listed("ready,cancelled") == listed("") == {ready, cancelled}
        assert listed(",".join(SessionState)) == {ready, cancelled}
