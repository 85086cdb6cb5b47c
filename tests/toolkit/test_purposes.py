"""Purposes as values: what each says, and that a wrong one is an error when it is made."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import timedelta
from typing import Any

import pytest

from livegate.errors import ConfigurationError, InvalidRequestError
from livegate.models import OperationMode, ReferenceImage, SessionKind, StartRequest
from livegate.purposes import FROM_CLIENT, OPTIONAL, REQUIRED, Purpose, Purposes

IMAGE = ReferenceImage(b"portrait")


def portrait_of(request: StartRequest) -> ReferenceImage:
    return IMAGE


def test_a_purpose_is_strict_unless_it_says_otherwise() -> None:
    purpose = Purpose("sign-in")

    assert purpose.kind is SessionKind.LIVENESS
    assert not purpose.takes_client_image
    assert purpose.require_digest
    assert purpose.max_age == timedelta(minutes=10)
    assert (purpose.transaction, purpose.mode, purpose.max_retries) == (OPTIONAL, None, 3)


@pytest.mark.parametrize(
    ("purpose", "takes_client_image"),
    [
        (Purpose("payout", verify=True), False),
        (Purpose("payout", reference_image=portrait_of), False),
        (Purpose("payout", reference_image=portrait_of, verify=False), False),
        (Purpose("enrol", reference_image=FROM_CLIENT), True),
    ],
)
def test_a_purpose_with_a_reference_image_verifies(
    purpose: Purpose, takes_client_image: bool
) -> None:
    assert purpose.kind is SessionKind.LIVENESS_WITH_VERIFY
    assert purpose.takes_client_image is takes_client_image


def test_a_mode_may_be_given_by_its_value() -> None:
    mode: Any = "Passive"

    assert Purpose("sign-in", mode=mode).mode is OperationMode.PASSIVE


WRONG: list[tuple[str, list[Any]]] = [
    ("name", ["", "a b", "ä", "a" * 65, "a\n", None, 7, b"a"]),
    ("verify", [None, 1, "false"]),
    ("reference_image", [b"\xff\xd8secret", "client", IMAGE, True]),
    ("transaction", [None, True, "required"]),
    ("max_age", [timedelta(0), timedelta(-1), 600, None]),
    ("require_digest", [None, 0, "no"]),
    ("mode", ["passive", 1, ["Passive"]]),
    ("max_retries", [-1, True, 1.5, None]),
]


@pytest.mark.parametrize(("name", "values"), WRONG, ids=[name for name, _ in WRONG])
def test_a_purpose_with_a_wrong_value_names_the_field_and_never_quotes_it(
    name: str, values: list[Any]
) -> None:
    for value in values:
        arguments = {"name": "payout", name: value}
        with pytest.raises(ConfigurationError, match=rf"\b{name} has to be") as error:
            Purpose(**arguments)
        assert "secret" not in str(error.value)


def test_a_purpose_takes_names_for_all_but_its_name_and_cannot_be_changed() -> None:
    purpose: Any = Purpose

    with pytest.raises(TypeError):
        purpose("payout", True)
    with pytest.raises(FrozenInstanceError):
        purpose("payout").verify = True
    assert Purpose("payout", max_retries=0).max_retries == 0


def test_all_wrong_values_of_a_purpose_are_reported_at_once() -> None:
    wrong: Any = 0

    with pytest.raises(ConfigurationError, match=r"Purpose payout: max_age.*max_retries"):
        Purpose("payout", max_age=wrong, max_retries=-1)


def test_without_a_configured_purpose_there_is_default_for_liveness_alone() -> None:
    assert list(Purposes()) == [Purpose("default")]
    assert Purposes().require("default").kind is SessionKind.LIVENESS


def test_with_a_configured_purpose_there_is_no_default() -> None:
    purposes = Purposes([Purpose("payout")])

    assert [each.name for each in purposes] == ["payout"]
    assert purposes.get("default") is None


@pytest.mark.parametrize("name", ["default", "Payout", "payout ", "", None, 7, ["payout"]])
def test_an_unknown_purpose_is_an_error_of_the_request(name: Any) -> None:
    with pytest.raises(InvalidRequestError) as error:
        Purposes([Purpose("payout")]).require(name)

    assert (error.value.code, error.value.field, error.value.status) == (
        "unknown_purpose",
        "purpose",
        422,
    )


def test_two_purposes_of_one_name_are_an_error() -> None:
    with pytest.raises(ConfigurationError, match="same name"):
        Purposes([Purpose("payout"), Purpose("payout", verify=True)])


@pytest.mark.parametrize("purposes", [["payout"], "payout", [None]])
def test_what_is_not_a_purpose_is_an_error(purposes: Any) -> None:
    with pytest.raises(ConfigurationError, match="purposes= takes Purpose objects"):
        Purposes(purposes)


def test_only_a_purpose_that_requires_a_transaction_misses_one() -> None:
    Purpose("payout").check_transaction(None)
    Purpose("payout", transaction=REQUIRED).check_transaction("payout 7")

    with pytest.raises(InvalidRequestError) as error:
        Purpose("payout", transaction=REQUIRED).check_transaction(None)

    assert (error.value.code, error.value.field, error.value.status) == (
        "transaction_required",
        "transaction",
        422,
    )
