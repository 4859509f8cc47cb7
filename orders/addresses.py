"""Where a parcel goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from events.limits import Limits
from events.personal import Personal


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    name: Annotated[str, Personal(), Limits(min_length=1, max_length=150)]
    street: Annotated[str, Personal(), Limits(min_length=1, max_length=200)]
    postal_code: Annotated[str, Personal(), Limits(max_length=20)] = ""
    city: Annotated[str, Limits(min_length=1, max_length=100)]
    #: ISO 3166-1, two letters.
    country: Annotated[str, Limits(min_length=2, max_length=2)]

    def __str__(self) -> str:
        town = f"{self.postal_code} {self.city}".strip()
        return f"{self.name}, {self.street}, {town}, {self.country}"
