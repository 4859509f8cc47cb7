"""Shipments: the carrier is asked first, outside of any transaction; its answer is recorded then.

A crash between the two loses nothing: the command comes again, with the same effect key. What is
recorded is saved together with the order, so of a parcel and a cancellation that meet, the second
one sees the first.
"""

from __future__ import annotations

from uuid import UUID

from events.command_bus import handles
from events.repository import Repository, save_all

from ..aggregates.order import Order
from ..aggregates.shipment import Shipment
from ..commands import ArrangeShipping, CancelShipping
from ..conf import carrier
from ..exceptions import OrderCancelledMeanwhile
from ..gateways.carriers import Cancellation, NotCarried, Parcel, cancellation_key, parcel_key
from ..gateways.pending import Pending

orders = Repository(Order)
shipments = Repository(Shipment)


def arrange(command: ArrangeShipping) -> Parcel | NotCarried | Pending | Cancellation:
    """For a cancelled order the parcel is called back instead: an earlier attempt, of which nobody
    knows the outcome, may have succeeded."""
    if orders.load(command.order_id).is_cancelled:
        return _call_back(command.order_id)
    return carrier().arrange(parcel_key(command.order_id), command.shipping_address)


@handles(ArrangeShipping, ask=arrange)
def arrange_shipping(
    command: ArrangeShipping, outcome: Parcel | NotCarried | Pending | Cancellation
) -> dict[str, str | None]:
    """`reply` is the type of the event that answers, of now or of the first time; None where the
    carrier hasn't decided yet."""
    order, shipment = orders.load(command.order_id), _shipment(command.order_id)
    match outcome:
        case Parcel():
            if order.is_cancelled:
                raise OrderCancelledMeanwhile(command.order_id)
            shipment.record_parcel(outcome)
        case NotCarried():
            shipment.record_failure(outcome.reason)
        case Cancellation():
            shipment.record_cancellation(outcome.parcel)
            shipment.record_failure("order_cancelled")
    if shipment.tracking_number is not None:
        order.ship(shipment.tracking_number)
    save_all([order, shipment])
    return {"reply": shipment.reply}


def call_back(command: CancelShipping) -> Cancellation:
    return _call_back(command.order_id)


@handles(CancelShipping, ask=call_back)
def cancel_shipping(command: CancelShipping, outcome: Cancellation) -> None:
    order, shipment = orders.find(command.order_id), _shipment(command.order_id)
    shipment.record_cancellation(outcome.parcel)
    if order is not None and shipment.tracking_number is None:
        order.recall()
    save_all([each for each in (order, shipment) if each is not None])


def _call_back(order_id: UUID) -> Cancellation:
    return carrier().cancel(cancellation_key(order_id), parcel_key(order_id))


def _shipment(order_id: UUID) -> Shipment:
    return shipments.find(order_id) or Shipment(order_id)
