"""The state at any version and at any time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from events.exceptions import AggregateNotFound, ConcurrencyError, InvalidInput
from events.repository import Repository
from events.store.base import EventStore
from tests.aggregates.basket import Basket
from tests.factories import MOMENT

NAMES = ["a", "b", "c", "d", "e"]


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


@pytest.fixture
def history(baskets: Repository[Basket]) -> Repository[Basket]:
    """Five lines, one a minute; a snapshot after the third."""
    basket = Basket("1")
    for number, name in enumerate(NAMES):
        basket.add(name, occurred_on=MOMENT + minutes(number))
        baskets.save(basket)
    snapshot = baskets.store.find_snapshot(basket.stream)
    assert snapshot is not None
    assert snapshot.version == 2
    return baskets


@pytest.mark.parametrize("version", range(5))
def test_the_state_at_each_version(history: Repository[Basket], version):
    past = history.load_at_version("1", version)
    assert set(past.lines) == set(NAMES[: version + 1])
    assert past.version == version


def test_the_state_at_a_version_to_come_is_the_current_one(history: Repository[Basket]):
    assert history.load_at_version("1", 100).version == 4


def test_before_its_first_version_there_is_no_aggregate(history: Repository[Basket]):
    with pytest.raises(AggregateNotFound):
        history.load_at_version("1", -1)


@pytest.mark.parametrize("minute", range(5))
def test_the_state_at_the_time_of_each_event_includes_it(history: Repository[Basket], minute):
    for later in (timedelta(0), timedelta(seconds=59)):
        past = history.load_at_time("1", MOMENT + minutes(minute) + later)
        assert set(past.lines) == set(NAMES[: minute + 1])


def test_the_time_may_have_any_offset(history: Repository[Basket]):
    moment = (MOMENT + minutes(1)).astimezone(timezone(timedelta(hours=-5)))
    assert history.load_at_time("1", moment).version == 1


def test_the_state_after_the_last_event_is_the_current_one(history: Repository[Basket]):
    assert history.load_at_time("1", MOMENT + timedelta(days=365)).version == 4


def test_before_its_first_event_there_is_no_aggregate(history: Repository[Basket]):
    with pytest.raises(AggregateNotFound):
        history.load_at_time("1", MOMENT - minutes(1))


def test_a_time_without_an_offset_is_refused_by_name(history: Repository[Basket]):
    with pytest.raises(InvalidInput, match="moment: "):
        history.load_at_time("1", datetime(2026, 3, 1, 12, 1))  # noqa: DTZ001  (the point)


def test_events_that_occurred_out_of_order_are_cut_at_the_first_that_is_later(
    baskets: Repository[Basket],
):
    """A state is that after some version: an event is never applied without the ones before it."""
    basket = Basket("1")
    for name, minute in (("a", 0), ("b", 10), ("c", 5), ("d", 20)):
        basket.add(name, occurred_on=MOMENT + minutes(minute))
    baskets.save(basket)
    assert set(baskets.load_at_time("1", MOMENT + minutes(7)).lines) == {"a"}
    assert set(baskets.load_at_time("1", MOMENT + minutes(10)).lines) == {"a", "b", "c"}


def test_a_past_state_cannot_be_saved_over_later_events(history: Repository[Basket]):
    past = history.load_at_version("1", 1)
    past.add("x")
    with pytest.raises(ConcurrencyError, match=r"at version 1, but it is at version 4"):
        history.save(past)


def test_a_past_state_does_not_replace_the_snapshot(
    history: Repository[Basket], any_store: EventStore
):
    history.load_at_version("1", 0)
    history.load_at_time("1", MOMENT)
    snapshot = any_store.find_snapshot(Basket("1").stream)
    assert snapshot is not None
    assert snapshot.version == 2
