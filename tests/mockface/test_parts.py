"""The small parts by themselves: clock, dice, tokens, forms, scenarios, people."""

from __future__ import annotations

import base64
import json

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockface import forms
from mockface.clock import LATEST, Clock
from mockface.dice import Dice
from mockface.people import person
from mockface.sessions.nouns import Kind
from mockface.sessions.tokens import Claims, TokenIssuer

CLAIMS = Claims("session", "tenant", Kind.VERIFY, "http://localhost:1", 1000, 1600)


class TestClock:
    def test_it_runs_with_its_source(self) -> None:
        now = [100.0]
        clock = Clock(source=lambda: now[0])
        assert clock.advance(50) == 150
        now[0] = 110
        assert clock.now() == 160

        assert clock.freeze() == 160
        now[0] = 500
        assert clock.now() == 160
        assert clock.advance(1) == 161

        assert clock.resume() == 161
        now[0] = 501
        assert clock.now() == 162
        clock.reset()
        assert (clock.now(), clock.frozen) == (501, False)

    @pytest.mark.parametrize("frozen_at", [None, 40.0])
    def test_a_fork_starts_alike_and_goes_its_own_way(self, frozen_at: float | None) -> None:
        clock = Clock(frozen_at=frozen_at, source=lambda: 3.0)
        clock.advance(10)
        fork = clock.fork()
        assert (fork.now(), fork.frozen) == (clock.now(), clock.frozen)

        fork.advance(5)
        assert fork.now() == clock.now() + 5
        clock.advance(100)
        assert fork.now() == clock.now() - 95

    @pytest.mark.parametrize("at", [-1.0, LATEST + 1, float("nan"), float("inf")])
    def test_it_stops_only_where_dates_are(self, at: float) -> None:
        clock = Clock(source=lambda: 3.0)
        with pytest.raises(ValueError, match="from 1970"):
            clock.freeze(at)
        assert (clock.now(), clock.frozen) == (3.0, False)

    def test_a_running_clock_resumes_to_itself(self) -> None:
        assert Clock(source=lambda: 3.0).resume() == 3

    @pytest.mark.parametrize("seconds", [-1.0, float("nan"), LATEST])
    def test_it_does_not_go_back_nor_too_far(self, seconds: float) -> None:
        clock = Clock(frozen_at=10.0)
        with pytest.raises(ValueError, match=r"forward|further"):
            clock.advance(seconds)
        assert clock.now() == 10


class TestDice:
    @given(st.lists(st.text(), min_size=1, max_size=4), st.text())
    def test_a_name_has_one_value(self, names: list[str], seed: str) -> None:
        assert Dice(seed).bytes(*names) == Dice(seed).bytes(*names)
        assert Dice(seed).bytes(*names) != Dice(seed + "x").bytes(*names)
        assert Dice(seed).bytes(*names) != Dice(seed).child(*names).bytes(*names)

    def test_names_are_kept_apart(self) -> None:
        dice = Dice("s")
        assert dice.bytes("ab", "c") != dice.bytes("a", "bc")
        assert dice.bytes("a") != dice.bytes("a", "")

    @given(st.integers(-50, 50), st.integers(0, 50), st.text())
    def test_numbers_are_within_bounds(self, low: int, span: int, name: str) -> None:
        dice = Dice("s")
        assert low <= dice.integer(low, low + span, name) <= low + span
        assert low <= dice.fraction(low, low + span, name) <= low + span


class TestTokens:
    def test_a_token_is_a_signed_jwt(self) -> None:
        header, payload, signature = TokenIssuer(Dice("s")).issue(CLAIMS).split(".")

        assert json.loads(base64.urlsafe_b64decode(header + "=="))["alg"] == "HS256"
        said = json.loads(base64.urlsafe_b64decode(payload + "=="))
        assert (said["sid"], said["exp"]) == ("session", 1600)
        assert len(base64.urlsafe_b64decode(signature + "==")) == 32

    def test_reading_gives_the_issued_claims(self) -> None:
        tokens = TokenIssuer(Dice("s"))
        assert tokens.read(tokens.issue(CLAIMS)) == CLAIMS

    def test_the_same_seed_signs_the_same_bytes(self) -> None:
        assert TokenIssuer(Dice("s")).issue(CLAIMS) == TokenIssuer(Dice("s")).issue(CLAIMS)

    def test_a_token_of_another_seed_is_rejected(self) -> None:
        with pytest.raises(ValueError, match="not a token"):
            TokenIssuer(Dice("a")).read(TokenIssuer(Dice("b")).issue(CLAIMS))

    def test_an_unsigned_token_is_rejected(self) -> None:
        unsigned = jwt.encode({"sid": "s"}, "", algorithm="none")
        with pytest.raises(ValueError, match="not a token"):
            TokenIssuer(Dice("s")).read(unsigned)

    @given(st.integers(0, 200), st.integers(1, 255))
    def test_a_token_with_a_changed_byte_is_rejected(self, at: int, by: int) -> None:
        tokens = TokenIssuer(Dice("s"))
        token = bytearray(tokens.issue(CLAIMS).encode())
        token[at] = (token[at] + by) % 256
        with pytest.raises(ValueError, match="not a token"):
            tokens.read(token.decode("latin-1"))


class TestForms:
    @given(st.dictionaries(st.from_regex(r"[A-Za-z]{1,9}", fullmatch=True), st.binary(max_size=99)))
    def test_what_was_put_in_comes_out(self, fields: dict[str, bytes]) -> None:
        fields = {name: data for name, data in fields.items() if b"--edge" not in data}
        body = b"".join(
            f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
            + data
            + b"\r\n"
            for name, data in fields.items()
        )
        parts = forms.parse("multipart/form-data; boundary=edge", body + b"--edge--")
        assert {name: part.data for name, part in parts.items()} == fields

    def test_epilogue_and_quoted_names(self) -> None:
        body = (
            b"--edge\r\nX: y\r\ncontent-disposition: form-data; name=plain; "
            b'filename="a b.jpg"\r\n\r\nx\r\n--edge--\r\nepilogue'
        )
        parts = forms.parse('multipart/form-data; boundary="edge"', body)
        assert parts["plain"].filename == "a b.jpg"
        assert parts["plain"].data == b"x"

    def test_a_part_with_an_encoded_file_name_alone_is_a_file(self) -> None:
        body = b"--edge\r\nContent-Disposition: form-data; name=a; filename*=UTF-8''b.jpg\r\n\r\n1"
        parts = forms.parse("multipart/form-data; boundary=edge", body + b"\r\n--edge--")
        assert parts["a"].filename is not None

    @pytest.mark.parametrize(
        ("body", "word"),
        [
            (b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n', "cut off"),
            (b'--edge\r\nContent-Disposition: form-data; name="a"\r\n--edge--', "cut off"),
            (b"--edge\r\nX: y\r\n\r\n1\r\n--edge--", "name"),
            (b"nothing", "malformed"),
        ],
    )
    def test_what_is_wrong_is_named(self, body: bytes, word: str) -> None:
        with pytest.raises(ValueError, match=word):
            forms.parse("x; boundary=edge", body)

    def test_the_first_of_two_counts(self) -> None:
        part = b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\n%d\r\n'
        parts = forms.parse("x; boundary=edge", part % 1 + part % 2 + b"--edge--")
        assert parts["a"].data == b"1"


class TestPeople:
    def test_a_seed_has_one_person(self) -> None:
        people = [person(seed) for seed in range(20)]
        assert people[7] == person(7)
        assert len({p.device_correlation_id for p in people}) == 20
        assert all(p.email.partition("@")[2].startswith("example.") for p in people)
        assert all(len(p.device_correlation_id) == 36 for p in people)
