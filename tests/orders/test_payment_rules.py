"""What the gateway answers is recorded in whatever order it comes, and each thing once."""

from __future__ import annotations

import pytest

from events.testing import given
from orders.aggregates.payment import Payment
from orders.events import PaymentFailed, PaymentProcessed, PaymentRefunded
from orders.gateways.payments import Charge
from tests.orders.shop import ORDER, eur

CHARGE = Charge(amount=eur("3"), payment_method="card", reference="SIM-1")
PROCESSED = PaymentProcessed(
    order_id=ORDER, amount=eur("3"), payment_method="card", reference="SIM-1"
)
FAILED = PaymentFailed(order_id=ORDER, reason="card_declined")
REFUNDED = PaymentRefunded(order_id=ORDER, amount=eur("3"))
NOTHING_REFUNDED = PaymentRefunded(order_id=ORDER, amount=None)


def payment(*history):
    return given(Payment, str(ORDER), *history)


def test_a_charge_is_recorded():
    (
        payment()
        .when(lambda payment: payment.record_charge(CHARGE))
        .then(PROCESSED)
        .then_state(reply="PaymentProcessed", charged=eur("3"))
    )


def test_a_failure_is_recorded():
    (
        payment()
        .when(lambda payment: payment.record_failure("card_declined"))
        .then(FAILED)
        .then_state(reply="PaymentFailed", charged=None)
    )


def test_a_refund_is_recorded():
    (
        payment(PROCESSED)
        .when(lambda payment: payment.record_refund(CHARGE))
        .then(REFUNDED)
        .then_state(refunded=eur("3"), is_closed=True)
    )


@pytest.mark.parametrize("history", [[], [FAILED]], ids=["nothing", "failed"])
def test_the_refund_of_what_was_never_charged_is_a_fact(history):
    (
        payment(*history)
        .when(lambda payment: payment.record_refund(None))
        .then(NOTHING_REFUNDED)
        .then_state(is_closed=True, refunded=None)
    )


@pytest.mark.parametrize(
    ("history", "repeat"),
    [
        ([PROCESSED], lambda payment: payment.record_charge(CHARGE)),
        ([PROCESSED, REFUNDED], lambda payment: payment.record_charge(CHARGE)),
        ([PROCESSED, REFUNDED], lambda payment: payment.record_refund(CHARGE)),
        ([FAILED], lambda payment: payment.record_failure("other")),
        ([PROCESSED], lambda payment: payment.record_failure("other")),
        ([NOTHING_REFUNDED], lambda payment: payment.record_refund(None)),
        ([PROCESSED, REFUNDED], lambda payment: payment.record_refund(None)),
    ],
)
def test_what_is_recorded_already_is_not_recorded_again(history, repeat):
    payment(*history).when(repeat).then_nothing()


def test_a_charge_that_only_the_refund_tells_of_is_recorded_before_it():
    payment().when(lambda payment: payment.record_refund(CHARGE)).then(PROCESSED, REFUNDED)


def test_a_charge_after_a_refund_of_nothing_fails():
    (
        payment(NOTHING_REFUNDED)
        .when(lambda payment: payment.record_failure("refunded"))
        .then(PaymentFailed(order_id=ORDER, reason="refunded"))
    )


def test_money_that_a_gateway_took_against_its_word_is_recorded_and_can_be_refunded():
    (
        payment(NOTHING_REFUNDED)
        .when(lambda payment: payment.record_charge(CHARGE))
        .then(PROCESSED)
        .then_state(charged=eur("3"), refunded=None)
    )
    payment(FAILED, NOTHING_REFUNDED, PROCESSED).when(
        lambda payment: payment.record_refund(CHARGE)
    ).then(REFUNDED)
