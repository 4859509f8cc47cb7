"""The gateway and the carrier of an order that is placed again: they do what the data set says, in
the words of the shop's simulators. All other orders are the simulators' own."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from orders.addresses import Address
from orders.gateways.carriers import Cancellation, NotCarried, Parcel
from orders.gateways.payments import Charge, Declined, Refund
from orders.gateways.pending import Pending
from orders.gateways.simulated_carriers import SimulatedCarrier
from orders.gateways.simulated_payments import SimulatedPayments
from orders.money import Money

from .fates import Fate
from .models import PlacedOrder

_PAYMENT_WORDS = {Fate.NOT_PAID: "declined", Fate.PAYMENT_AWAITED: "pending"}
_CARRIER_WORDS = {Fate.NOT_CARRIED: "declined", Fate.PARCEL_AWAITED: "pending"}


class Payments:
    """A PaymentGateway that charges what was paid then, whatever it is asked for."""

    def __init__(self) -> None:
        self._simulator = SimulatedPayments()

    def charge(
        self, effect_key: str, amount: Money, payment_method: str
    ) -> Charge | Declined | Pending:
        order = _order_of(effect_key)
        if order is not None:
            amount = Money(order.charged, amount.currency)
            payment_method = _with(payment_method, _PAYMENT_WORDS.get(Fate(order.fate)))
        return self._simulator.charge(effect_key, amount, payment_method)

    def refund(self, effect_key: str, charge_key: str) -> Refund:
        return self._simulator.refund(effect_key, charge_key)


class Carrier:
    def __init__(self) -> None:
        self._simulator = SimulatedCarrier()

    def arrange(self, effect_key: str, address: Address) -> Parcel | NotCarried | Pending:
        order = _order_of(effect_key)
        if order is not None:
            city = _with(address.city, _CARRIER_WORDS.get(Fate(order.fate)))
            address = replace(address, city=city)
        return self._simulator.arrange(effect_key, address)

    def cancel(self, effect_key: str, parcel_key: str) -> Cancellation:
        return self._simulator.cancel(effect_key, parcel_key)


def _order_of(effect_key: str) -> PlacedOrder | None:
    """Effect keys end with the order's id."""
    order_id = UUID(effect_key.rpartition(":")[2])
    return PlacedOrder.objects.filter(pk=order_id).first()


def _with(text: str, word: str | None) -> str:
    return text if word is None else f"{text}+{word}"
