"""The port to whoever moves the money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from ..money import Money
from .pending import Pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Money that was taken. `reference` is the gateway's name for it."""

    amount: Money
    payment_method: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """No money was taken, nor will be under this key."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """`charge` was paid back in whole; None where there was none to pay back."""

    charge: Charge | None


class PaymentGateway(Protocol):
    """Both raise GatewayUnavailable or GatewayTimeout where there is no answer to rely on: the same
    call again is safe, and in the end says what has happened."""

    def charge(
        self, effect_key: str, amount: Money, payment_method: str
    ) -> Charge | Declined | Pending:
        """Once for each key; the key again gives the first outcome, also after a refund. What is
        charged can differ from the amount, such as by a voucher. Raises EffectKeyReused where the
        amount or the method is another."""

    def refund(self, effect_key: str, charge_key: str) -> Refund:
        """Undoes the charge of that key. One that comes only afterwards is declined. Raises
        UndoRefused where the money is not given back."""


def charge_key(order_id: UUID) -> str:
    return f"charge:{order_id}"


def refund_key(order_id: UUID) -> str:
    return f"refund:{order_id}"
