"""The order process as an orchestrated saga: one place that knows all steps and their undos.

Stock, then money, then the parcel; each is undone in reverse when a later one is refused, and the
order is cancelled. Once the parcel is arranged the order is only completed.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from events.bus.retry import RetryPolicy
from sagas.definition import Orchestrator
from sagas.instance import Saga
from sagas.step import Compensation, Effect, Step

from ..addresses import Address
from ..commands import (
    ArrangeShipping,
    CancelOrder,
    CancelShipping,
    CompleteOrder,
    ProcessPayment,
    RefundPayment,
    ReleaseInventory,
    ReserveInventory,
)
from ..events import (
    InventoryReservationFailed,
    InventoryReserved,
    OrderPlaced,
    PaymentFailed,
    PaymentProcessed,
    ShippingArranged,
    ShippingFailed,
)
from ..lines import OrderLine, quantities
from ..money import Money
from .patience import PARCEL_SECONDS, PAYMENT_SECONDS, STOCK_SECONDS

#: One product can be wanted by many at the same moment, and another system can be away for a while.
_AGAIN = RetryPolicy(attempts=6, first_delay_seconds=0.5, factor=3, max_delay_seconds=120)


@dataclass(frozen=True, kw_only=True)
class OrderData:
    """What the steps need to know; the order said it when it was placed."""

    order_id: UUID
    items: tuple[OrderLine, ...]
    total_amount: Money
    shipping_address: Address
    payment_method: str


class OrderSaga(Saga):
    """One order on its way."""


def reserve_inventory(order: OrderData, effect: Effect) -> ReserveInventory:
    return ReserveInventory(order_id=order.order_id, items=quantities(order.items))


def process_payment(order: OrderData, effect: Effect) -> ProcessPayment:
    return ProcessPayment(
        order_id=order.order_id,
        amount=order.total_amount,
        payment_method=order.payment_method,
    )


def cancel_order(order: OrderData, effect: Effect) -> CancelOrder:
    return CancelOrder(order_id=order.order_id, reason="It could not be processed.")


def _undo(command: type, *, holds_back_earlier: bool = False) -> Compensation:
    return Compensation(command=command, timeout_seconds=120, holds_back_earlier=holds_back_earlier)


class OrderSagaOrchestrator(Orchestrator):
    saga_type = "OrderProcessing"
    state = OrderData
    key = "order_id"
    starts_on = OrderPlaced

    reserve = Step(
        command=reserve_inventory,
        on_success=InventoryReserved,
        on_rejection=InventoryReservationFailed,
        compensation=_undo(ReleaseInventory),
        timeout_seconds=STOCK_SECONDS,
        retry=_AGAIN,
        reply_key="order_id",
    )
    pay = Step(
        command=process_payment,
        on_success=PaymentProcessed,
        on_rejection=PaymentFailed,
        compensation=_undo(RefundPayment),
        timeout_seconds=PAYMENT_SECONDS,
        retry=_AGAIN,
        reply_key="order_id",
    )
    ship = Step(
        command=ArrangeShipping,
        on_success=ShippingArranged,
        on_rejection=ShippingFailed,
        # What is on its way to the customer is not paid back.
        compensation=_undo(CancelShipping, holds_back_earlier=True),
        timeout_seconds=PARCEL_SECONDS,
        retry=_AGAIN,
        reply_key="order_id",
        pivot=True,
    )
    complete = Step(command=CompleteOrder, retriable=True, timeout_seconds=60, retry=_AGAIN)

    undo_start = Compensation(command=cancel_order, timeout_seconds=60)
