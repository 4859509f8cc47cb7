"""Charges and refunds: the gateway asked first, its answer recorded, each thing once."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection, transaction

from events.command_bus import command_bus
from events.exceptions import AggregateNotFound, ConcurrencyError, InvalidInput, OpenTransaction
from orders.commands import ProcessPayment
from orders.exceptions import EffectKeyReused, GatewayTimeout, GatewayUnavailable, UndoRefused
from orders.gateways.simulated_payments import SimulatedPayments
from orders.handlers import payments
from orders.models import PaymentLedgerEntry
from tests.orders.shop import (
    ORDER,
    cancel,
    eur,
    event_names,
    history,
    money_recorded,
    money_taken,
    pay,
    place,
    refund,
)

pytestmark = pytest.mark.django_db

TOTAL = Decimal("3.00")


@pytest.fixture(autouse=True)
def _order(db: None) -> None:
    place()


def replies() -> list[str]:
    return event_names("Payment")


def balance(expected: Decimal) -> None:
    assert (money_taken(), money_recorded()) == (expected, expected)


def test_an_order_is_charged():
    assert pay().value == {"reply": "PaymentProcessed"}
    [reply] = history("Payment")
    assert reply.data == {
        "order_id": str(ORDER),
        "amount": {"amount": "3.00", "currency": "EUR"},
        "payment_method": "card",
        "reference": f"SIM-{PaymentLedgerEntry.objects.get().pk}",
    }
    balance(TOTAL)


def test_charging_twice_takes_the_money_once():
    for _ in range(3):
        assert pay().value == {"reply": "PaymentProcessed"}
    assert replies() == ["PaymentProcessed"]
    balance(TOTAL)


def test_a_declined_card_is_a_fact():
    for _ in range(2):
        assert pay(payment_method="declined").value == {"reply": "PaymentFailed"}
    assert replies() == ["PaymentFailed"]
    assert history("Payment")[0].data["reason"] == "card_declined"
    balance(Decimal(0))


def test_refunding_twice_gives_the_money_back_once():
    pay()
    refund()
    refund()
    assert replies() == ["PaymentProcessed", "PaymentRefunded"]
    assert history("Payment")[1].data["amount"] == {"amount": "3.00", "currency": "EUR"}
    balance(Decimal(0))


def test_a_charge_after_it_was_refunded_has_no_effect():
    pay()
    refund()
    pay()
    assert replies() == ["PaymentProcessed", "PaymentRefunded"]
    balance(Decimal(0))


def test_a_charge_that_comes_after_its_refund_fails():
    refund()
    for _ in range(2):
        assert pay().value == {"reply": "PaymentFailed"}
    assert replies() == ["PaymentRefunded", "PaymentFailed"]
    assert [recorded.data for recorded in history("Payment")] == [
        {"order_id": str(ORDER), "amount": None},
        {"order_id": str(ORDER), "reason": "refunded"},
    ]
    balance(Decimal(0))


def test_the_refund_of_a_declined_charge_gives_nothing_back():
    pay(payment_method="declined")
    refund()
    assert replies() == ["PaymentFailed", "PaymentRefunded"]
    balance(Decimal(0))


def test_a_charge_whose_answer_was_lost_is_told_of_when_asked_again():
    with pytest.raises(GatewayTimeout):
        pay(payment_method="late_answer")
    assert (money_taken(), replies()) == (TOTAL, [])
    pay(payment_method="late_answer")
    assert replies() == ["PaymentProcessed"]
    balance(TOTAL)


def test_a_charge_whose_answer_was_lost_is_refunded_all_the_same():
    with pytest.raises(GatewayTimeout):
        pay(payment_method="late_answer")
    refund()
    assert replies() == ["PaymentProcessed", "PaymentRefunded"]
    balance(Decimal(0))


def test_a_charge_that_never_gets_an_answer_can_be_refunded():
    for _ in range(2):
        with pytest.raises(GatewayTimeout):
            pay(payment_method="no_answer")
    refund()
    assert replies() == ["PaymentRefunded"]
    balance(Decimal(0))


def test_a_gateway_that_fails_for_a_while_is_asked_again():
    for _ in range(2):
        with pytest.raises(GatewayUnavailable):
            pay(payment_method="error_2")
    assert (money_taken(), replies()) == (0, [])
    pay(payment_method="error_2")
    balance(TOTAL)


def test_a_refund_that_fails_for_a_while_is_asked_for_again():
    pay(payment_method="card+refund_error_1")
    with pytest.raises(GatewayUnavailable):
        refund()
    balance(TOTAL)
    refund()
    balance(Decimal(0))


def test_a_refund_that_the_gateway_refuses_is_no_refund():
    pay(payment_method="card+refund_declined")
    for _ in range(2):
        with pytest.raises(UndoRefused) as caught:
            refund()
        assert caught.value.code == "undo_refused"
    assert replies() == ["PaymentProcessed"]
    balance(TOTAL)


def test_another_amount_for_the_same_order_is_refused():
    pay()
    with pytest.raises(EffectKeyReused, match=r"amount was 3\.000, now it is 4\.00"):
        pay(amount="4.00")
    balance(TOTAL)


def test_a_cancelled_order_is_not_charged():
    cancel()
    assert pay().value == {"reply": "PaymentFailed"}
    assert replies() == ["PaymentRefunded", "PaymentFailed"]
    balance(Decimal(0))


def test_a_charge_whose_answer_was_lost_is_undone_when_the_order_was_cancelled_meanwhile():
    with pytest.raises(GatewayTimeout):
        pay(payment_method="late_answer")
    cancel()
    pay(payment_method="late_answer")
    assert replies() == ["PaymentProcessed", "PaymentRefunded"]
    balance(Decimal(0))


def test_a_card_number_gets_neither_to_the_gateway_nor_into_an_event():
    with pytest.raises(InvalidInput, match="payment_method: looks like the number of a card"):
        pay(payment_method="4111111111111111")
    assert replies() == []
    assert not PaymentLedgerEntry.objects.exists()


def test_nothing_is_charged_for_an_order_that_was_never_placed():
    with pytest.raises(AggregateNotFound):
        pay(UUID(int=1))
    assert not PaymentLedgerEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_gateway_is_not_asked_in_a_transaction_that_could_be_rolled_back():
    with transaction.atomic(), pytest.raises(OpenTransaction):
        pay()
    with transaction.atomic(), pytest.raises(RuntimeError):
        SimulatedPayments().charge("charge:x", eur("3"), "card")
    assert not PaymentLedgerEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_charge_stays_in_the_books_when_its_recording_fails(monkeypatch):
    def fail(payment):
        assert connection.in_atomic_block
        raise ConcurrencyError(payment.stream, -1, 0)

    monkeypatch.setattr("events.command_bus.time.sleep", lambda seconds: None)
    with monkeypatch.context() as broken:
        broken.setattr(payments.payments, "save", fail)
        with pytest.raises(ConcurrencyError):
            pay()
    assert (money_taken(), replies()) == (TOTAL, [])
    assert PaymentLedgerEntry.objects.get().attempts == 1
    pay()
    assert replies() == ["PaymentProcessed"]
    balance(TOTAL)


@pytest.mark.django_db(transaction=True)
def test_the_answer_can_be_recorded_in_a_transaction_of_the_caller():
    command = ProcessPayment(order_id=ORDER, amount=eur("3"), payment_method="card")
    outcome = command_bus.ask(command)
    with transaction.atomic():
        command_bus.dispatch(command, outcome=outcome)
        transaction.set_rollback(True)
    assert replies() == []
    command_bus.dispatch(command, outcome=outcome)
    assert replies() == ["PaymentProcessed"]


def test_what_was_charged_is_not_charged_again_by_a_gateway_that_has_forgotten_its_keys():
    pay()
    PaymentLedgerEntry.objects.all().delete()

    assert pay().value == {"reply": "PaymentProcessed"}
    assert not PaymentLedgerEntry.objects.exists()
    assert replies() == ["PaymentProcessed"]
