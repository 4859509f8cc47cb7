"""Orders of several fates, made by commands: one good, one whose card was declined, one whose saga
waits for an operator; and a subscription that fails."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from events.bus.retry import RetryPolicy
from events.bus.subscription import subscribe, subscriptions
from events.command_bus import command_bus
from events.delivery.draining import drain
from events.identifiers import new_id
from events.recorded_event import RecordedEvent
from orders.addresses import Address
from orders.commands import PlaceOrder, ReceiveStock
from orders.lines import OrderLine
from orders.money import Money
from users.commands import RegisterUser

EMAIL, STREET = "ada@example.com", "Via Po 1"
FAILING = "browser.newsletter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    customer: UUID
    good_order: UUID
    declined_order: UUID
    #: Its gateway never answers.
    waiting_order: UUID


class Newsletter:
    """A handler with a fault, until somebody mends it."""

    is_mended = False
    sent: list[str] = []


def send_newsletter(recorded: RecordedEvent) -> None:
    if not Newsletter.is_mended:
        raise LookupError("no template for the newsletter")
    Newsletter.sent.append(recorded.aggregate_id)


def fill_shop() -> Shop:
    Newsletter.is_mended = False
    Newsletter.sent = []
    if subscriptions.find(FAILING) is None:
        subscribe("UserRegistered", send_newsletter, name=FAILING, retry=RetryPolicy(attempts=1))
    customer = new_id()
    command_bus.dispatch(RegisterUser(user_id=customer, email=EMAIL, name="Ada Lovelace"))
    command_bus.dispatch(ReceiveStock(product_id="quill", quantity=100))
    good, declined, waiting = (
        _placed(customer, method) for method in ("card", "declined", "no_answer")
    )
    drain(raise_errors=False)
    return Shop(customer=customer, good_order=good, declined_order=declined, waiting_order=waiting)


def _placed(customer: UUID, payment_method: str) -> UUID:
    order = PlaceOrder(
        order_id=new_id(),
        user_id=customer,
        items=(
            OrderLine(product_id="quill", quantity=2, unit_price=Money(Decimal("1.95"), "EUR")),
        ),
        shipping_address=Address(name="Ada Lovelace", street=STREET, city="Turin", country="IT"),
        payment_method=payment_method,
    )
    command_bus.dispatch(order)
    return order.order_id
