"""People with their devices, made up by Faker from a seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mockface.dice import Dice

if TYPE_CHECKING:
    from faker import Faker


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who could sit in front of the camera.

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

    def as_dict(self) -> dict[str, str]:
        """The fields by name."""
        return asdict(self)


def person_id(seed: int | str) -> str:
    """The id of the person of this seed; needs no Faker."""
    return Dice(f"person {seed}").uuid("id")


def person(seed: int | str) -> Person:
    """The person of this seed; another version of Faker may make up another one."""
    fake = _faker(seed)
    phone = fake.boolean()
    user_agent = fake.chrome() if phone else fake.safari()
    return Person(
        id=person_id(seed),
        name=fake.name(),
        email=fake.safe_email(),
        device=f"{fake.first_name()}'s {'phone' if phone else 'tablet'}",
        device_correlation_id=str(fake.uuid4()),
        user_agent=user_agent,
    )


def crowd(seed: int | str, count: int) -> list[Person]:
    """`count` different people."""
    return [person(f"{seed}/{number}") for number in range(1, count + 1)]


def _faker(seed: int | str) -> Faker:
    # Faker loads all its data when it is imported, which most users of this package never need.
    from faker import Faker  # noqa: PLC0415

    fake = Faker()
    fake.seed_instance(str(seed))
    return fake
