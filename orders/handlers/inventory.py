"""Stock: received, reserved for an order, released. One append holds the decision about an order
together with what it takes from each product: all of it is stored, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from events.command_bus import handles
from events.repository import Repository, save_all

from ..aggregates.order import Order
from ..aggregates.reservation import Reservation
from ..aggregates.stock import Stock
from ..commands import ReceiveStock, ReleaseInventory, ReserveInventory

orders = Repository(Order)
reservations = Repository(Reservation)
stocks = Repository(Stock)


@handles(ReceiveStock)
def receive_stock(command: ReceiveStock) -> dict[str, int]:
    [stock] = _stocks([command.product_id])
    stock.receive(command.quantity)
    stocks.save(stock)
    return {"available": stock.available}


@handles(ReserveInventory)
def reserve_inventory(command: ReserveInventory) -> dict[str, str | None]:
    """`reply` is the type of the event that answers, of now or of the first time."""
    order = orders.load(command.order_id)
    reservation = _reservation(command.order_id)
    if reservation.reply is None:
        taken = _reserve(order, reservation, command.items)
        save_all([*taken, reservation])
    return {"reply": reservation.reply}


@handles(ReleaseInventory)
def release_inventory(command: ReleaseInventory) -> None:
    reservation = _reservation(command.order_id)
    held = _stocks(reservation.items)
    for stock in held:
        stock.release(command.order_id, reservation.items[stock.id])
    reservation.release()
    save_all([*held, reservation])


def _reserve(order: Order, reservation: Reservation, items: dict[str, int]) -> list[Stock]:
    """Decides, and returns the stocks that it takes from."""
    if order.is_cancelled or reservation.is_released:
        reservation.fail("order_cancelled" if order.is_cancelled else "released")
        return []
    wanted = _stocks(items)
    missing = {stock.id: few for stock in wanted if (few := stock.missing(items[stock.id]))}
    if missing:
        reservation.fail("out_of_stock", missing)
        return []
    for stock in wanted:
        stock.reserve(reservation.order_id, items[stock.id])
    reservation.reserve(items)
    return wanted


def _reservation(order_id: UUID) -> Reservation:
    return reservations.find(order_id) or Reservation(order_id)


def _stocks(product_ids: Iterable[str]) -> list[Stock]:
    return [stocks.find(product_id) or Stock(product_id) for product_id in product_ids]
