"""The port to whoever moves the parcels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from ..addresses import Address
from .pending import Pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One that the carrier has taken on."""

    tracking_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCarried:
    """The carrier won't, nor will it later under this key."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """`parcel` was called back; None where there was none."""

    parcel: Parcel | None


class Carrier(Protocol):
    """Both raise GatewayUnavailable or GatewayTimeout where there is no answer to rely on: the same
    call again is safe, and in the end says what has happened."""

    def arrange(self, effect_key: str, address: Address) -> Parcel | NotCarried | Pending:
        """Once for each key; the key again gives the first outcome, also after a cancellation.
        Raises EffectKeyReused where the address is another."""

    def cancel(self, effect_key: str, parcel_key: str) -> Cancellation:
        """Undoes what that key arranged. A request that comes only afterwards is refused. Raises
        UndoRefused where the parcel can't be called back."""


def parcel_key(order_id: UUID) -> str:
    return f"parcel:{order_id}"


def cancellation_key(order_id: UUID) -> str:
    return f"cancellation:{order_id}"
