"""The life of a session over HTTP."""
# ruff: noqa: S101, PLR2004 - tests

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from livegate.errors import FaceThrottledError, FaceUnavailableError
from livegate.models import Attempt, AttemptStatus, Outcome, OutcomeStatus
from livegate.testing.adapter_suite.backend import DIGEST, JPEG, POLL_INTERVAL, PORTRAIT, REAL
from livegate.testing.adapter_suite.base import AdapterSuite, assert_problem, start

if TYPE_CHECKING:
    from livegate.testing.adapter_suite.http1 import HttpClient
    from livegate.testing.doubles import FakeFaceService, ManualClock


class Starting(AdapterSuite):
    """Starts: the server decides what has to be proved."""

    def test_start_hands_out_the_token(self, http: HttpClient, alice: str) -> None:
        """Given nothing: a session that is ready, and where it is."""
        response = http.json("POST", "/sessions", {"purpose": "default"}, user=alice)

        assert response.status == 201
        assert response.json["state"] == "ready"
        assert response.json["authToken"]
        session_id = response.json["sessionId"]
        assert response.header("Location") == f"{http.prefix}/sessions/{session_id}"
        view = http.send("GET", f"/sessions/{session_id}", user=alice)
        assert "authToken" not in view.json
        assert view.json["expiresAt"] == response.json["expiresAt"]

    def test_purpose_and_transaction_are_shown(self, http: HttpClient, alice: str) -> None:
        """Given a purpose that is for one thing."""
        session_id = start(http, alice, purpose="payout", transaction="payout 7")

        view = http.send("GET", f"/sessions/{session_id}", user=alice).json

        assert (view["purpose"], view["transaction"]) == ("payout", "payout 7")
        assert (view["kind"], view["next"]) == ("livenessWithVerify", "capture")

    def test_image_comes_from_the_server(
        self, http: HttpClient, alice: str, face: FakeFaceService
    ) -> None:
        """Given a purpose with an enrolled portrait: that is what the service gets."""
        start(http, alice, purpose="payout", transaction="7")

        image = face.requests[-1].reference_image
        assert image is not None
        assert image.content == PORTRAIT

    @pytest.mark.parametrize(
        ("fields", "code", "field"),
        [
            ({"purpose": "nothing"}, "unknown_purpose", "purpose"),
            ({"purpose": ""}, "unknown_purpose", "purpose"),
            ({"purpose": "Payout"}, "unknown_purpose", "purpose"),
            ({"purpose": "\ud800"}, "unknown_purpose", "purpose"),
            ({"purpose": "payout"}, "transaction_required", "transaction"),
            ({"purpose": "enrol"}, "reference_image_required", "referenceImage"),
        ],
    )
    def test_start_that_the_purpose_does_not_allow_is_a_422(
        self, http: HttpClient, alice: str, fields: dict[str, str], code: str, field: str
    ) -> None:
        """Given a front end that leaves out what the purpose needs: nothing is started."""
        assert_problem(http.json("POST", "/sessions", fields, user=alice), 422, code, field)
        assert http.send("GET", "/sessions", user=alice).json["sessions"] == []

    @pytest.mark.parametrize(
        "fields", [{}, {"purpose": b"default"}, {"purpose": b"payout", "transaction": b"7"}]
    )
    def test_front_end_cannot_choose_the_face(
        self, http: HttpClient, alice: str, fields: dict[str, bytes]
    ) -> None:
        """Given a picture for a purpose that takes none from the client: nothing is started."""
        response = http.form("/sessions", *fields.items(), ("referenceImage", JPEG), user=alice)

        assert_problem(response, 422, "reference_image_not_accepted", "referenceImage")
        assert http.send("GET", "/sessions", user=alice).json["sessions"] == []

    def test_all_violations_of_an_image_come_at_once(self, http: HttpClient, alice: str) -> None:
        """Given a file that is no picture."""
        response = http.form(
            "/sessions", ("purpose", b"enrol"), ("referenceImage", b"<svg>"), user=alice
        )

        assert_problem(response, 422, "reference_image_rejected", "referenceImage")
        codes = {each["code"] for each in response.json["violations"]}
        assert codes == {"image_too_small", "image_format_unknown"}

    def test_idempotency_key_starts_one_session(
        self, http: HttpClient, alice: str, bob: str
    ) -> None:
        """Given a key: the same request, another one, and another user's."""
        key = {"Idempotency-Key": "k 1"}

        first = http.json("POST", "/sessions", {}, user=alice, headers=key)
        again = http.json("POST", "/sessions", {}, user=alice, headers=key)
        other = http.json("POST", "/sessions", {"transaction": "8"}, user=alice, headers=key)
        hers = http.json("POST", "/sessions", {}, user=bob, headers=key)

        assert (first.status, hers.status) == (201, 201)
        assert_problem(again, 409, "token_already_issued", "Idempotency-Key")
        assert_problem(other, 422, "idempotency_key_reused", "Idempotency-Key")
        assert len(http.send("GET", "/sessions", user=alice).json["sessions"]) == 1

    @pytest.mark.parametrize(("key", "status"), [("k" * 255, 201), ("k" * 256, 400), ("", 400)])
    def test_idempotency_key_has_1_to_255_characters(
        self, http: HttpClient, alice: str, key: str, status: int
    ) -> None:
        """Given keys at the limits."""
        response = http.json("POST", "/sessions", {}, user=alice, headers={"Idempotency-Key": key})

        assert response.status == status
        if status == 400:
            assert_problem(response, 400, "invalid_request", "Idempotency-Key")

    def test_start_carries_on_after_a_failure(
        self, http: HttpClient, alice: str, face: FakeFaceService
    ) -> None:
        """Given a service that was down: the same start with the same key succeeds."""
        key = {"Idempotency-Key": "k"}
        face.failures["create"] = FaceUnavailableError("down")
        failed = http.json("POST", "/sessions", {}, user=alice, headers=key)
        del face.failures["create"]

        again = http.json("POST", "/sessions", {}, user=alice, headers=key)

        assert_problem(failed, 503, "face_unavailable")
        assert failed.json["retryable"] is True
        assert again.status == 201
        assert len(http.send("GET", "/sessions", user=alice).json["sessions"]) == 1


class Finishing(AdapterSuite):
    """From the report of the front end to a verdict."""

    def test_finish_without_a_result_says_when_to_look_again(
        self, http: HttpClient, alice: str
    ) -> None:
        """Given a service that has no result yet: 202."""
        path = f"/sessions/{start(http, alice)}"

        finished = http.json("POST", f"{path}/finish", {"digest": DIGEST}, user=alice)
        read = http.send("GET", path, user=alice)

        assert (finished.status, read.status) == (202, 200)
        for response in (finished, read):
            assert response.header("Retry-After") == str(POLL_INTERVAL)
            view = response.json
            assert (view["state"], view["next"], view["verdict"]) == (
                "awaiting_result",
                "wait",
                None,
            )

    def test_finish_with_a_result_returns_the_verdict(
        self, http: HttpClient, alice: str, face: FakeFaceService
    ) -> None:
        """Given a real face and its digest: passed, and nothing of how it was found."""
        session_id = start(http, alice, transaction="7")
        face.outcome = REAL

        finished = http.json(
            "POST", f"/sessions/{session_id}/finish", {"digest": DIGEST}, user=alice
        )
        read = http.send("GET", f"/sessions/{session_id}", user=alice)

        assert (finished.status, read.status) == (200, 200)
        assert finished.header("Retry-After") is None
        assert finished.json == read.json
        assert read.json == {
            "sessionId": session_id,
            "state": "passed",
            "kind": "liveness",
            "purpose": "default",
            "transaction": "7",
            "createdAt": "2026-01-01T00:00:00Z",
            "expiresAt": "2026-01-01T00:10:00Z",
            "decidedAt": "2026-01-01T00:00:00Z",
            "verdict": "passed",
            "reasons": [],
            "next": "continue",
        }

    def test_verdict_that_is_too_old_is_no_reason_to_continue(
        self, http: HttpClient, alice: str, face: FakeFaceService, clock: ManualClock
    ) -> None:
        """Given a session that passed longer ago than the purpose allows."""
        path = f"/sessions/{start(http, alice)}"
        face.outcome = REAL
        http.json("POST", f"{path}/finish", {"digest": DIGEST}, user=alice)

        clock.advance(600)

        view = http.send("GET", path, user=alice).json
        assert (view["verdict"], view["next"]) == ("passed", "start_again")

    def test_read_finds_the_result(
        self, http: HttpClient, alice: str, face: FakeFaceService, clock: ManualClock
    ) -> None:
        """Given a result that comes later: a GET after the interval shows it."""
        path = f"/sessions/{start(http, alice)}"
        http.json("POST", f"{path}/finish", {"digest": DIGEST}, user=alice)
        face.outcome = REAL

        early = http.send("GET", path, user=alice).json
        clock.advance(POLL_INTERVAL)
        late = http.send("GET", path, user=alice).json

        assert (early["state"], late["state"]) == ("awaiting_result", "passed")

    def test_reads_within_the_interval_ask_the_service_once(
        self, http: HttpClient, alice: str, face: FakeFaceService
    ) -> None:
        """Given a session that waits, and ten reads at one moment."""
        path = f"/sessions/{start(http, alice)}"
        http.send("POST", f"{path}/finish", user=alice)

        for _ in range(10):
            http.send("GET", path, user=alice)

        assert face.calls.count("read") == 1

    def test_reasons_are_shown(self, http: HttpClient, alice: str, face: FakeFaceService) -> None:
        """Given an attempt that failed: the service's code says why."""
        path = f"/sessions/{start(http, alice)}"
        mask = Attempt(1, AttemptStatus.FAILED, error_code="FaceWithMaskDetected")
        face.outcome = Outcome(OutcomeStatus.ENDED, (mask,))

        view = http.send("POST", f"{path}/finish", user=alice).json

        assert (view["verdict"], view["next"]) == ("inconclusive", "retry")
        assert "FaceWithMaskDetected" in view["reasons"]

    def test_session_expires(self, http: HttpClient, alice: str, clock: ManualClock) -> None:
        """Given a session that nobody used: a GET after its time shows the end."""
        path = f"/sessions/{start(http, alice)}"

        clock.advance(600)

        view = http.send("GET", path, user=alice).json
        assert (view["state"], view["verdict"], view["next"]) == ("expired", None, "retry")

    def test_delete_ends_the_session_and_is_idempotent(self, http: HttpClient, alice: str) -> None:
        """Given an open session, deleted twice."""
        path = f"/sessions/{start(http, alice)}"

        responses = [http.send("DELETE", path, user=alice) for _ in range(2)]

        assert [(each.status, each.body) for each in responses] == [(204, b"")] * 2
        view = http.send("GET", path, user=alice).json
        assert (view["state"], view["next"]) == ("cancelled", "start_again")


class Retrying(AdapterSuite):
    """Starting again for the same purpose."""

    def test_retry_starts_a_session_for_the_same_thing(self, http: HttpClient, alice: str) -> None:
        """Given a session that is over: the new one is for the same purpose and transaction."""
        first = start(http, alice, purpose="payout", transaction="7")

        response = http.json("POST", f"/sessions/{first}/retry", {}, user=alice)

        assert response.status == 201
        second = response.json["sessionId"]
        assert response.header("Location") == f"{http.prefix}/sessions/{second}"
        view = http.send("GET", f"/sessions/{second}", user=alice).json
        assert (view["purpose"], view["transaction"]) == ("payout", "7")
        assert http.send("GET", f"/sessions/{first}", user=alice).json["state"] == "cancelled"

    def test_session_is_retried_once(self, http: HttpClient, alice: str) -> None:
        """Given a session that was retried."""
        path = f"/sessions/{start(http, alice)}/retry"
        assert http.send("POST", path, user=alice).status == 201

        assert http.send("POST", path, user=alice).status == 409

    def test_retries_end(self, http: HttpClient, alice: str) -> None:
        """Given a purpose without retries: 403, in the client's language."""
        path = f"/sessions/{start(http, alice, purpose='once')}/retry"

        english = http.send("POST", path, user=alice, headers={"Accept-Language": "fr;q=0.1, en"})
        german = http.send("POST", path, user=alice, headers={"Accept-Language": "de-AT, en;q=0.5"})

        for response, word in ((english, "retried"), (german, "wiederholt")):
            assert_problem(response, 403, "retries_exhausted")
            (violation,) = response.json["violations"]
            assert word in violation["message"]
            assert violation["message"] == response.json["detail"]

    def test_retry_takes_the_image_where_the_purpose_does(
        self, http: HttpClient, alice: str
    ) -> None:
        """Given a purpose that takes the client's image, and one that does not."""
        image = ("referenceImage", JPEG)
        enrolled = http.form("/sessions", ("purpose", b"enrol"), image, user=alice).json
        paid = start(http, alice, purpose="payout", transaction="7")

        without = http.send("POST", f"/sessions/{enrolled['sessionId']}/retry", user=alice)
        with_image = http.form(f"/sessions/{enrolled['sessionId']}/retry", image, user=alice)
        bypass = http.form(f"/sessions/{paid}/retry", image, user=alice)

        assert_problem(without, 422, "reference_image_required", "referenceImage")
        assert with_image.status == 201
        assert_problem(bypass, 422, "reference_image_not_accepted", "referenceImage")

    def test_retry_has_no_fields(self, http: HttpClient, alice: str) -> None:
        """Given a retry that names another purpose."""
        path = f"/sessions/{start(http, alice)}/retry"

        response = http.json("POST", path, {"purpose": "once"}, user=alice)

        assert_problem(response, 400, "unknown_field", "purpose")


class Failures(AdapterSuite):
    """What a client sees when something behind the application fails."""

    def test_busy_service_says_when_to_come_back(
        self, http: HttpClient, alice: str, face: FakeFaceService, clock: ManualClock
    ) -> None:
        """Given a service that is throttled: 503, in whole seconds, and nothing is lost."""
        path = f"/sessions/{start(http, alice)}"
        face.failures["read"] = FaceThrottledError("tier s0", retry_after=25.2)

        busy = http.json("POST", f"{path}/finish", {"digest": DIGEST}, user=alice)
        del face.failures["read"]
        face.outcome = REAL
        clock.advance(26)
        view = http.send("GET", path, user=alice).json

        assert_problem(busy, 503, "face_throttled")
        assert busy.header("Retry-After") == "26"
        assert busy.json["retryable"] is True
        assert b"s0" not in busy.body
        assert view["state"] == "passed"

    def test_unexpected_error_is_a_500_without_its_message(
        self, http: HttpClient, alice: str, face: FakeFaceService
    ) -> None:
        """Given a fault in the program."""
        face.failures["create"] = ZeroDivisionError("a detail")

        response = http.send("POST", "/sessions", user=alice)

        assert_problem(response, 500, "internal_error")
        assert b"a detail" not in response.body
        assert response.json["retryable"] is False
