"""Orders: placed, cancelled, completed."""

from __future__ import annotations

from events.command_bus import handles
from events.repository import Repository

from ..aggregates.order import Order
from ..commands import CancelOrder, CompleteOrder, PlaceOrder
from ..exceptions import OrderAlreadyPlaced

orders = Repository(Order)


@handles(PlaceOrder)
def place_order(command: PlaceOrder) -> dict[str, str]:
    if orders.find(command.order_id) is not None:
        raise OrderAlreadyPlaced(command.order_id)
    order = Order.place(
        command.order_id,
        command.user_id,
        command.items,
        command.shipping_address,
        command.payment_method,
        command.freight,
    )
    orders.save(order)
    return {"order_id": str(command.order_id), "total_amount": str(order.total_amount)}


@handles(CancelOrder)
def cancel_order(command: CancelOrder) -> None:
    order = orders.load(command.order_id)
    order.cancel(command.reason)
    orders.save(order)


@handles(CompleteOrder)
def complete_order(command: CompleteOrder) -> None:
    order = orders.load(command.order_id)
    order.complete()
    orders.save(order)
