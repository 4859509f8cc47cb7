"""Orders for the tests, made by commands, and what became of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from events.command_bus import command_bus
from events.command_records import CommandResult
from events.delivery.draining import drain
from events.recorded_event import RecordedEvent
from events.store.configured import event_store
from events.streams import StreamName
from orders.addresses import Address
from orders.aggregates.stock import Stock
from orders.commands import (
    ArrangeShipping,
    CancelOrder,
    CancelShipping,
    CompleteOrder,
    PlaceOrder,
    ProcessPayment,
    ReceiveStock,
    RefundPayment,
    ReleaseInventory,
    ReserveInventory,
)
from orders.handlers.inventory import stocks
from orders.lines import OrderLine
from orders.models import LedgerEntry, PaymentLedgerEntry, ShipmentLedgerEntry
from orders.money import Money

#: The subscriptions that write them.
READ_MODELS = ("orders.orders", "orders.payments", "orders.shipments", "orders.stock")

ORDER = UUID("018f0000-0000-7000-8000-000000000001")
OTHER = UUID("018f0000-0000-7000-8000-000000000002")
ANN = UUID("018f0000-0000-7000-8000-00000000000a")


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def address(**overrides: Any) -> Address:
    values: dict[str, Any] = {
        "name": "Ann",
        "street": "Hafnarstræti 1",
        "postal_code": "600",
        "city": "Akureyri",
        "country": "IS",
    }
    return Address(**values | overrides)


def line(product_id: str = "pen", quantity: int = 2, price: str = "1.50") -> OrderLine:
    return OrderLine(product_id=product_id, quantity=quantity, unit_price=eur(price))


def place_order(order_id: UUID = ORDER, **overrides: Any) -> PlaceOrder:
    values: dict[str, Any] = {
        "order_id": order_id,
        "user_id": ANN,
        "items": (line(),),
        "shipping_address": address(),
        "payment_method": "card",
    }
    return PlaceOrder(**values | overrides)


def place(order_id: UUID = ORDER, **overrides: Any) -> CommandResult:
    return command_bus.dispatch(place_order(order_id, **overrides))


def receive(**quantities: int) -> None:
    for product_id, quantity in quantities.items():
        command_bus.dispatch(ReceiveStock(product_id=product_id, quantity=quantity))


def reserve(order_id: UUID = ORDER, **items: int) -> CommandResult:
    return command_bus.dispatch(ReserveInventory(order_id=order_id, items=items or {"pen": 2}))


def release(order_id: UUID = ORDER) -> CommandResult:
    return command_bus.dispatch(ReleaseInventory(order_id=order_id))


def pay(
    order_id: UUID = ORDER, amount: str = "3.00", payment_method: str = "card"
) -> CommandResult:
    return command_bus.dispatch(
        ProcessPayment(order_id=order_id, amount=eur(amount), payment_method=payment_method)
    )


def refund(order_id: UUID = ORDER) -> CommandResult:
    return command_bus.dispatch(RefundPayment(order_id=order_id))


def ship(order_id: UUID = ORDER, **overrides: Any) -> CommandResult:
    return command_bus.dispatch(
        ArrangeShipping(order_id=order_id, shipping_address=address(**overrides))
    )


def cancel_shipping(order_id: UUID = ORDER) -> CommandResult:
    return command_bus.dispatch(CancelShipping(order_id=order_id))


def cancel(order_id: UUID = ORDER, reason: str = "Changed my mind.") -> CommandResult:
    return command_bus.dispatch(CancelOrder(order_id=order_id, reason=reason))


def complete(order_id: UUID = ORDER) -> CommandResult:
    return command_bus.dispatch(CompleteOrder(order_id=order_id))


def project() -> None:
    """Brings the read models up to date, and leaves the processes of the orders alone."""
    drain(*READ_MODELS)


def history(aggregate_type: str, aggregate_id: UUID | str = ORDER) -> list[RecordedEvent]:
    return list(event_store().read_stream(StreamName(aggregate_type, aggregate_id)))


def event_names(aggregate_type: str, aggregate_id: UUID | str = ORDER) -> list[str]:
    return [recorded.event_type for recorded in history(aggregate_type, aggregate_id)]


def stock(product_id: str = "pen") -> tuple[int, int]:
    """Available and reserved."""
    found = stocks.find(product_id) or Stock(product_id)
    return found.available, found.reserved


def money_taken(order_id: UUID = ORDER) -> Decimal:
    """Charged less refunded, by the books of the gateway."""
    entries = PaymentLedgerEntry.objects.filter(
        effect_key__endswith=str(order_id), amount__isnull=False
    )
    done = {LedgerEntry.Outcome.DONE, LedgerEntry.Outcome.UNDONE}
    return sum(
        (
            -entry.amount if entry.undone_key else entry.amount
            for entry in entries
            if entry.outcome in done and entry.amount is not None
        ),
        Decimal(0),
    )


def money_recorded(order_id: UUID = ORDER) -> Decimal:
    """Charged less refunded, by the events."""
    total = Decimal(0)
    for recorded in history("Payment", order_id):
        amount = recorded.data.get("amount")
        if amount is not None:
            sign = -1 if recorded.event_type == "PaymentRefunded" else 1
            total += sign * Decimal(amount["amount"])
    return total


def parcels_under_way(order_id: UUID = ORDER) -> int:
    """By the books of the carrier."""
    return ShipmentLedgerEntry.objects.filter(
        effect_key__endswith=str(order_id), undone_key="", outcome=LedgerEntry.Outcome.DONE
    ).count()
