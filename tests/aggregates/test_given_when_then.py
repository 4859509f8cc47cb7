"""The helpers that ship with the app: what passes, and how a failure reads."""

from __future__ import annotations

from decimal import Decimal

import pytest

from events.exceptions import CommandRefused, MissingApplyMethod
from events.testing import given
from tests.aggregates.basket import (
    Basket,
    BasketAbandoned,
    BasketIsFull,
    LineAdded,
    LineRemoved,
)

PEN = LineAdded(name="pen", price=Decimal("1.50"))
INK = LineAdded(name="ink", price=Decimal("1.50"))
FULL = [LineAdded(name=str(number), price=Decimal(1)) for number in range(100)]


def full_basket(basket: Basket) -> None:
    basket.add("one too many")


def test_new_events_are_compared_by_what_they_say():
    (
        given(Basket, "1", PEN)
        .when(lambda basket: basket.add("ink"))
        .then(INK)
        .then_state(lines={"pen": Decimal("1.50"), "ink": Decimal("1.50")}, total=Decimal(3))
    )


def test_the_history_is_what_has_happened_not_what_is_new():
    outcome = given(Basket, "1", PEN, INK).when(lambda basket: basket.remove("pen"))
    outcome.then(LineRemoved(name="pen"))
    assert outcome.aggregate.version == 1


def test_nothing_may_have_happened():
    given(Basket, "1").when(lambda basket: basket.remove("pen")).then_nothing()


def test_a_refusal_is_expected_by_class_and_code():
    (
        given(Basket, "1", *FULL)
        .when(full_basket)
        .then_refused(BasketIsFull)
        .then_refused(CommandRefused, code="basket_is_full")
    )


def test_an_aggregate_that_a_factory_returns_is_looked_at():
    def create(_: Basket) -> Basket:
        created = Basket("2")
        created.add("pen")
        return created

    outcome = given(Basket, "1").when(create).then(PEN)
    assert outcome.aggregate.id == "2"


def failure(assertion) -> str:
    with pytest.raises(AssertionError) as caught:
        assertion()
    return str(caught.value)


def test_a_failure_shows_the_events_that_were_expected_and_those_that_came():
    outcome = given(Basket, "1").when(lambda basket: basket.add("ink"))
    text = failure(lambda: outcome.then(PEN))
    assert text.index("LineAdded(name='pen'") < text.index("LineAdded(name='ink'")
    assert "LineAdded(name='ink'" in failure(outcome.then_nothing)
    assert "LineAdded(name='ink'" in failure(lambda: outcome.then(INK, PEN))


def test_a_failure_shows_a_refusal_in_place_of_events():
    outcome = given(Basket, "1", *FULL).when(full_basket)
    assert "BasketIsFull" in failure(outcome.then_nothing)
    assert "BasketIsFull" in failure(lambda: outcome.then(PEN))


def test_a_failure_shows_events_in_place_of_a_refusal():
    outcome = given(Basket, "1").when(lambda basket: basket.add("ink"))
    text = failure(lambda: outcome.then_refused(BasketIsFull))
    assert "BasketIsFull" in text
    assert "LineAdded(name='ink'" in text


def test_another_refusal_than_the_expected_one_fails():
    class OutOfPaper(CommandRefused):
        code = "out_of_paper"

    outcome = given(Basket, "1", *FULL).when(full_basket)
    assert "BasketIsFull" in failure(lambda: outcome.then_refused(OutOfPaper))
    assert "'other'" in failure(lambda: outcome.then_refused(BasketIsFull, code="other"))


def test_a_refusal_after_an_event_fails_because_the_rule_came_too_late():
    def add_and_refuse(basket: Basket) -> None:
        basket.add("ink")
        raise BasketIsFull("Full.")

    outcome = given(Basket, "1").when(add_and_refuse)
    assert "LineAdded(name='ink'" in failure(lambda: outcome.then_refused(BasketIsFull))


def test_a_failure_shows_the_state_that_was_expected_and_the_one_that_came():
    outcome = given(Basket, "1", PEN).when(lambda basket: basket.add("ink"))
    text = failure(lambda: outcome.then_state(total=Decimal(4)))
    assert "Decimal('4')" in text
    assert "Decimal('3.00')" in text


def test_a_history_that_the_aggregate_does_not_know_is_an_error():
    with pytest.raises(MissingApplyMethod):
        given(Basket, "1", BasketAbandoned())


def test_an_error_that_is_no_refusal_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        given(Basket, "1").when(lambda basket: 1 / 0)


def test_an_event_that_could_not_be_stored_fails_here_already():
    outcome = given(Basket, "1").when(
        lambda basket: basket.add_event(LineAdded(name="pen", price=2))
    )
    text = failure(lambda: outcome.then(LineAdded(name="pen", price=Decimal(2))))
    assert "tests.LineAdded.price: expected Decimal, got int 2" in text
