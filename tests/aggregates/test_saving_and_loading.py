"""A repository stores what an aggregate decided, under optimistic locking, and loads it again."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from django.test import override_settings

from events.exceptions import (
    AggregateNotFound,
    ConcurrencyError,
    EncodingError,
    InvalidInput,
    MissingApplyMethod,
    StaleVersion,
)
from events.repository import Repository
from events.store.base import EventStore
from events.store.memory import MemoryEventStore
from events.streams import StreamName
from tests.aggregates.basket import Basket, BasketAbandoned, basket
from tests.factories import MOMENT

STREAM = StreamName("Basket", "1")


def test_what_is_saved_is_loaded(baskets: Repository[Basket]):
    saved = basket("pen", "ink")
    assert baskets.save(saved) == 1
    assert (saved.version, saved.uncommitted_events) == (1, ())
    loaded = baskets.load("1")
    assert loaded.lines == {"pen": Decimal("1.50"), "ink": Decimal("1.50")}
    assert (loaded.version, loaded.last_added) == (1, MOMENT)
    assert loaded.uncommitted_events == ()


def test_a_loaded_aggregate_goes_on_where_it_was(baskets: Repository[Basket]):
    baskets.save(basket("pen"))
    loaded = baskets.load("1")
    loaded.add("ink")
    assert baskets.save(loaded) == 1
    loaded.add("paper")
    assert baskets.save(loaded) == 2
    assert set(baskets.load("1").lines) == {"pen", "ink", "paper"}


def test_saving_without_new_events_writes_nothing(baskets: Repository[Basket]):
    saved = basket("pen")
    baskets.save(saved)
    assert baskets.save(saved) == 0
    assert baskets.save(Basket("2")) == -1
    assert baskets.store.stream_version(STREAM) == 0


def test_an_id_may_be_a_uuid(baskets: Repository[Basket]):
    identity = UUID(int=5)
    new = Basket(identity)
    new.add("pen")
    baskets.save(new)
    assert baskets.load(identity).id == str(identity)
    assert baskets.load(str(identity)).version == 0


def test_an_aggregate_without_events_is_not_found(baskets: Repository[Basket]):
    with pytest.raises(AggregateNotFound, match=r"^Basket-1 has no events\.$") as caught:
        baskets.load("1")
    assert caught.value.stream == STREAM
    assert baskets.find("1") is None
    baskets.save(basket("pen"))
    found = baskets.find("1")
    assert found is not None
    assert found.version == 0


def test_an_aggregate_type_is_a_space_of_ids_of_its_own(baskets: Repository[Basket]):
    class Order(Basket):
        aggregate_type = "Order"

    baskets.save(basket("pen"))
    assert Repository(Order, store=baskets.store).find("1") is None


# --- optimistic locking ---


def test_the_second_of_two_who_loaded_the_same_version_is_refused(baskets: Repository[Basket]):
    baskets.save(basket("pen"))
    first, second = baskets.load("1"), baskets.load("1")
    first.add("ink")
    second.add("paper")
    baskets.save(first)
    with pytest.raises(ConcurrencyError) as caught:
        baskets.save(second)
    assert str(caught.value) == "Expected Basket-1 at version 0, but it is at version 1."
    assert (caught.value.stream, caught.value.expected, caught.value.actual) == (STREAM, 0, 1)
    assert set(baskets.load("1").lines) == {"pen", "ink"}
    assert (second.version, len(second.uncommitted_events)) == (0, 1)


def test_the_second_of_two_who_create_the_same_aggregate_is_refused(baskets: Repository[Basket]):
    baskets.save(basket("pen"))
    with pytest.raises(ConcurrencyError, match="at version 0"):
        baskets.save(basket("ink"))
    assert set(baskets.load("1").lines) == {"pen"}


def test_a_save_that_is_repeated_after_a_lost_answer_is_no_conflict(baskets: Repository[Basket]):
    saved = basket("pen")
    twin = basket()
    twin.add_event(saved.uncommitted_events[0])
    baskets.save(saved)
    assert baskets.save(twin) == 0
    assert baskets.load("1").version == 0


def test_a_caller_who_has_seen_another_version_is_refused(baskets: Repository[Basket]):
    baskets.save(basket("pen", "ink"))
    assert baskets.load("1", expected_version=1).version == 1
    for seen in (0, 2):
        with pytest.raises(StaleVersion) as caught:
            baskets.load("1", expected_version=seen)
        assert (caught.value.stream, caught.value.expected, caught.value.actual) == (
            STREAM,
            seen,
            1,
        )


def test_an_expected_version_of_nothing_is_not_found_before_it_is_stale(
    baskets: Repository[Basket],
):
    with pytest.raises(AggregateNotFound):
        baskets.load("1", expected_version=0)


# --- refusals ---


def test_an_event_that_cannot_be_stored_is_refused_by_path_and_nothing_is_written(
    baskets: Repository[Basket],
):
    bad = basket("pen", "in\0k")
    with pytest.raises(EncodingError, match=r"^events\[1\]\.tests\.LineAdded\.name: .*NUL"):
        baskets.save(bad)
    assert baskets.find("1") is None
    assert len(bad.uncommitted_events) == 2


def test_a_stored_event_that_the_aggregate_does_not_know_is_an_error(baskets: Repository[Basket]):
    baskets.store.append(STREAM, [BasketAbandoned()])
    with pytest.raises(MissingApplyMethod, match="apply_basket_abandoned"):
        baskets.load("1")


@pytest.mark.parametrize("aggregate_id", ["", "a\0b", None])
def test_an_id_that_cannot_be_one_is_refused(baskets: Repository[Basket], aggregate_id):
    with pytest.raises(InvalidInput, match="aggregate_id"):
        baskets.load(aggregate_id)


# --- which store ---


@pytest.mark.django_db
def test_a_repository_takes_the_configured_store_when_it_is_used(store: EventStore):
    repository = Repository(Basket)
    assert repository.store is store
    with override_settings(EVENTS={"store": "events.store.memory.MemoryEventStore"}):
        assert type(repository.store) is MemoryEventStore


# --- what readers can do to each other ---


def test_two_loaded_aggregates_share_nothing(baskets: Repository[Basket]):
    baskets.save(basket("pen"))
    first = baskets.load("1")
    first.lines["stolen"] = Decimal(0)
    assert set(baskets.load("1").lines) == {"pen"}
