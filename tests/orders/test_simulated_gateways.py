"""The books of the simulated foreign systems: one effect for each key, whatever happens."""

from __future__ import annotations

import time
from functools import partial

import pytest

from orders.exceptions import EffectKeyReused, GatewayTimeout, GatewayUnavailable, UndoRefused
from orders.gateways.carriers import Cancellation, NotCarried, Parcel
from orders.gateways.payments import Charge, Declined, Refund
from orders.gateways.pending import Pending
from orders.gateways.simulated_carriers import SimulatedCarrier
from orders.gateways.simulated_payments import SimulatedPayments
from orders.gateways.simulation import Behaviour
from orders.models import LedgerEntry, PaymentLedgerEntry, ShipmentLedgerEntry
from tests.orders.shop import address, eur
from tests.processes import run_at_once

pytestmark = pytest.mark.django_db

payments = SimulatedPayments()
carrier = SimulatedCarrier()

KEY, UNDO = "effect:1", "undo:1"


def charge(payment_method: str = "card", amount: str = "3.00") -> Charge | Declined | Pending:
    return payments.charge(KEY, eur(amount), payment_method)


def refund() -> Refund:
    return payments.refund(UNDO, KEY)


def books() -> dict[str, tuple[str, int]]:
    """Outcome and number of attempts, by key."""
    entries = [*PaymentLedgerEntry.objects.all(), *ShipmentLedgerEntry.objects.all()]
    return {entry.effect_key: (entry.outcome, entry.attempts) for entry in entries}


@pytest.mark.parametrize(
    ("text", "prefix", "expected"),
    [
        ("card", "", Behaviour()),
        ("declined", "", Behaviour(declines=True)),
        ("Card+DECLINED", "", Behaviour(declines=True)),
        ("no_answer", "", Behaviour(never_answers=True)),
        ("pending", "", Behaviour(never_decides=True)),
        ("error_2+late_answer", "", Behaviour(errors=2, answers_late=True)),
        ("slow_250", "", Behaviour(delay_seconds=0.25)),
        ("refund_declined", "", Behaviour()),
        ("declined+refund_error_1", "refund_", Behaviour(errors=1)),
        ("not_declined+error_x+slow_", "", Behaviour()),
        ("", "", Behaviour()),
    ],
)
def test_a_text_says_how_a_foreign_system_behaves(text, prefix, expected):
    assert Behaviour.of(text, prefix) == expected


def test_a_charge_has_one_outcome_however_often_it_is_asked_for():
    first = charge()
    assert isinstance(first, Charge)
    assert (first.amount, first.payment_method) == (eur("3"), "card")
    assert [charge(), charge()] == [first, first]
    assert books() == {KEY: ("done", 3)}


def test_a_declined_charge_stays_declined():
    assert charge("declined") == charge("declined") == Declined(reason="card_declined")
    assert books() == {KEY: ("refused", 2)}


def test_a_request_that_is_pending_has_no_effect_and_can_be_prevented():
    assert charge("pending") == charge("pending") == Pending()
    assert books() == {KEY: ("", 2)}
    assert refund() == Refund(charge=None)
    assert charge("pending") == Declined(reason="refunded")
    assert arrange("pending") == Pending()
    assert call_back() == Cancellation(parcel=None)
    assert arrange("pending") == NotCarried(reason="cancelled")


@pytest.mark.parametrize(
    "other", [partial(charge, amount="4.00"), partial(charge, payment_method="other")]
)
def test_a_key_is_for_one_charge(other):
    charge()
    with pytest.raises(EffectKeyReused) as caught:
        other()
    assert caught.value.code == "effect_key_reused"
    assert caught.value.details["effect_key"] == KEY
    assert books() == {KEY: ("done", 1)}


def test_the_same_number_of_another_currency_is_another_charge():
    charge()
    with pytest.raises(EffectKeyReused, match="currency was EUR"):
        payments.charge(KEY, type(eur("1"))(eur("3").amount, "USD"), "card")


def test_a_charge_is_refunded_once_and_keeps_its_outcome():
    first = charge()
    assert refund() == refund() == Refund(charge=first)
    assert charge() == first
    assert books() == {KEY: ("undone", 2), UNDO: ("done", 2)}
    assert PaymentLedgerEntry.objects.get(effect_key=UNDO).amount == 3


def test_a_second_refund_under_another_key_finds_nothing():
    charge()
    refund()
    assert payments.refund("undo:2", KEY) == Refund(charge=None)


def test_a_key_is_for_one_refund():
    charge()
    refund()
    with pytest.raises(EffectKeyReused):
        payments.refund(UNDO, "effect:2")


def test_a_refund_that_comes_first_prevents_the_charge():
    assert refund() == Refund(charge=None)
    assert charge() == charge("other") == Declined(reason="refunded")
    assert books() == {KEY: ("prevented", 2), UNDO: ("nothing", 1)}


def test_a_refund_prevents_a_charge_that_has_failed_so_far():
    with pytest.raises(GatewayUnavailable):
        charge("error_1")
    assert refund() == Refund(charge=None)
    assert charge("error_1") == Declined(reason="refunded")


def test_errors_come_first_and_have_no_effect():
    for _ in range(2):
        with pytest.raises(GatewayUnavailable):
            charge("error_2")
    assert books() == {KEY: ("", 2)}
    assert isinstance(charge("error_2"), Charge)
    assert isinstance(charge("error_2"), Charge)


def test_a_late_answer_is_an_effect_that_the_first_caller_never_hears_of():
    with pytest.raises(GatewayTimeout):
        charge("late_answer")
    assert books() == {KEY: ("done", 1)}
    assert isinstance(charge("late_answer"), Charge)


def test_no_answer_is_no_effect_ever():
    for _ in range(3):
        with pytest.raises(GatewayTimeout):
            charge("no_answer")
    assert books() == {KEY: ("", 3)}


def test_a_slow_gateway_takes_its_time():
    started = time.monotonic()
    charge("slow_50")
    assert time.monotonic() - started >= 0.05


@pytest.mark.parametrize(
    ("word", "error"),
    [("refund_error_1", GatewayUnavailable), ("refund_late_answer", GatewayTimeout)],
)
def test_a_refund_has_troubles_of_its_own(word, error):
    charge(word)
    with pytest.raises(error):
        refund()
    assert isinstance(refund().charge, Charge)
    assert books()[KEY] == ("undone", 1)


def test_a_refund_that_is_refused_leaves_the_charge():
    charge("refund_declined")
    with pytest.raises(UndoRefused, match="undo:1 is not undone"):
        refund()
    assert books() == {KEY: ("done", 1)}


def test_nothing_to_refund_is_not_refused():
    charge("declined+refund_declined")
    assert refund() == Refund(charge=None)


# --- the carrier ---


def arrange(city: str = "Akureyri", **overrides: str) -> Parcel | NotCarried | Pending:
    return carrier.arrange(KEY, address(city=city, **overrides))


def call_back() -> Cancellation:
    return carrier.cancel(UNDO, KEY)


def test_a_parcel_has_one_outcome_however_often_it_is_asked_for():
    first = arrange()
    assert isinstance(first, Parcel)
    assert arrange() == first
    assert call_back() == call_back() == Cancellation(parcel=first)
    assert arrange() == first
    assert books() == {KEY: ("undone", 3), UNDO: ("done", 2)}


def test_a_key_is_for_one_address():
    arrange()
    with pytest.raises(EffectKeyReused, match="destination was"):
        arrange(street="Aðalgata 2")


def test_a_destination_that_is_not_served():
    assert arrange("declined") == NotCarried(reason="destination_not_served")
    assert carrier.arrange("effect:2", address(country="AQ")) == NotCarried(
        reason="destination_not_served"
    )


def test_a_parcel_that_was_called_back_first_is_not_carried():
    assert call_back() == Cancellation(parcel=None)
    assert arrange() == NotCarried(reason="cancelled")


def test_a_parcel_that_cannot_be_called_back():
    arrange("Akureyri+cancel_declined")
    with pytest.raises(UndoRefused):
        call_back()
    assert books() == {KEY: ("done", 1)}


# --- at the same time ---


def outcome(call) -> str:
    return type(call()).__name__


@pytest.mark.django_db(transaction=True)
def test_of_many_equal_charges_at_once_one_takes_money():
    assert run_at_once([partial(outcome, charge)] * 5) == ["Charge"] * 5
    assert books() == {KEY: ("done", 5)}


def charged_and_refunded(call) -> str:
    answer = call()
    return f"{type(answer).__name__} {answer != Refund(charge=None)}"


@pytest.mark.django_db(transaction=True)
def test_a_charge_and_its_refund_at_once_never_leave_money():
    for round_ in range(4):
        PaymentLedgerEntry.objects.all().delete()
        answers = run_at_once(
            [partial(charged_and_refunded, call) for call in (charge, refund)] * 2
        )
        refunded = "Refund True" in answers
        outcomes = LedgerEntry.Outcome
        expected = (outcomes.UNDONE, 2) if refunded else (outcomes.PREVENTED, 2)
        assert books()[KEY] == expected, round_
        assert answers.count("Charge True") == (2 if refunded else 0)
