"""People with their devices, made up by Faker from a seed."""

from __future__ import annotations

from dataclasses import dataclass

from mockface.dice import Dice
from mockface.extras import needs

_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up user.

    Attributes:
        id: Who it is; the portrait of the same seed carries it.
        name: A name.
        email: An address at an example domain.
        device: The device's name.
        device_correlation_id: A UUID for the device, as the service wants it.
        user_agent: What the device's browser calls itself.
    """

    id: str
    name: str
    email: str
    device: str
    device_correlation_id: str
    user_agent: str


def person_id(seed: int | str) -> str:
    """The id of the person of this seed; needs no Faker."""
    return Dice(f"person {seed}").uuid("id")


def person(seed: int | str) -> Person:
    """The person of this seed; another version of Faker may make up another one."""
    # Faker loads all its data when it is imported, and only few runs need it.
    with needs("mock"):
        from faker import Faker  # noqa: PLC0415 - see above

    fake = Faker()
    fake.seed_instance(str(seed))
    if fake.boolean():
        device, system, browser = "phone", fake.android_platform_token(), _CHROME
    else:
        device, system, browser = "iPad", fake.ios_platform_token(), _SAFARI
    name = fake.name()
    return Person(
        id=person_id(seed),
        name=name,
        email=fake.safe_email(),
        device=f"{name}'s {device}",
        device_correlation_id=str(fake.uuid4()),
        user_agent=f"Mozilla/5.0 ({system}) {browser}",
    )
