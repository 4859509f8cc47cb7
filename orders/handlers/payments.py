"""Payments: the gateway is asked first, outside of any transaction; its answer is recorded then.

A crash between the two loses nothing: the command comes again, with the same effect key. An order
that is cancelled while the gateway is asked is charged all the same: who cancels it, refunds it.
"""

from __future__ import annotations

from uuid import UUID

from events.command_bus import handles
from events.repository import Repository

from ..aggregates.order import Order
from ..aggregates.payment import Payment
from ..commands import ProcessPayment, RefundPayment
from ..conf import payment_gateway
from ..gateways.payments import Charge, Declined, Refund, charge_key, refund_key
from ..gateways.pending import Pending
from ..payment_methods import check_payment_method

orders = Repository(Order)
payments = Repository(Payment)


def charge(command: ProcessPayment) -> Charge | Declined | Pending | Refund | None:
    """None where the charge is recorded already: a gateway may forget its keys after some time.

    For a cancelled order the charge is undone instead: an earlier attempt, of which nobody knows
    the outcome, may have succeeded."""
    check_payment_method(command.payment_method)
    if orders.load(command.order_id).is_cancelled:
        return _refund(command.order_id)
    if _payment(command.order_id).charged == command.amount:
        return None
    key = charge_key(command.order_id)
    return payment_gateway().charge(key, command.amount, command.payment_method)


@handles(ProcessPayment, ask=charge)
def process_payment(
    command: ProcessPayment, outcome: Charge | Declined | Pending | Refund | None
) -> dict[str, str | None]:
    """`reply` is the type of the event that answers, of now or of the first time; None where the
    gateway hasn't decided yet."""
    payment = _payment(command.order_id)
    match outcome:
        case Charge():
            payment.record_charge(outcome)
        case Declined():
            payment.record_failure(outcome.reason)
        case Refund():
            payment.record_refund(outcome.charge)
            payment.record_failure("order_cancelled")
    payments.save(payment)
    return {"reply": payment.reply}


def refund(command: RefundPayment) -> Refund:
    return _refund(command.order_id)


@handles(RefundPayment, ask=refund)
def refund_payment(command: RefundPayment, outcome: Refund) -> None:
    payment = _payment(command.order_id)
    payment.record_refund(outcome.charge)
    payments.save(payment)


def _refund(order_id: UUID) -> Refund:
    return payment_gateway().refund(refund_key(order_id), charge_key(order_id))


def _payment(order_id: UUID) -> Payment:
    return payments.find(order_id) or Payment(order_id)
