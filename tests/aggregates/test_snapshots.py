"""Snapshots spare a replay and never change what is loaded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from events.aggregates import EventSourcedAggregate
from events.exceptions import RegistrationError
from events.repository import Repository
from events.store.base import EventStore
from events.store.configured import event_store
from events.store.memory import MemoryEventStore
from tests.aggregates.basket import (
    STREAM,
    Basket,
    LineAdded,
    LineRemoved,
    basket,
    save_in_steps,
    snapshot_version,
)
from tests.factories import MOMENT

# --- when one is taken ---


def test_a_snapshot_is_taken_every_so_many_events(baskets: Repository[Basket]):
    assert save_in_steps(baskets, *[1] * 7) == [None, None, 2, 2, 2, 5, 5]


def test_a_batch_that_steps_over_the_border_takes_one(baskets: Repository[Basket]):
    assert save_in_steps(baskets, 2, 2, 2, 1, 8) == [None, 3, 3, 6, 14]


def test_an_aggregate_that_was_loaded_counts_from_its_snapshot(baskets: Repository[Basket]):
    save_in_steps(baskets, 4)
    for name, expected in (("x", 3), ("y", 3), ("z", 6)):
        loaded = baskets.load("1")
        loaded.add(name)
        baskets.save(loaded)
        assert snapshot_version(baskets) == expected


@pytest.mark.parametrize(
    ("setting", "of_class", "versions"),
    [
        (2, None, [None, 1, 1, 3]),
        (2, 3, [None, None, 2, 2]),
        (2, 0, [None, None, None, None]),
        (2, 1, [0, 1, 2, 3]),
        (None, None, [None, None, None, None]),
        (0, None, [None, None, None, None]),
        (None, 2, [None, 1, 1, 3]),
    ],
)
def test_the_class_decides_how_often_else_the_setting(
    any_store: EventStore, setting, of_class, versions
):
    class Kept(Basket):
        snapshot_every = of_class

    with override_settings(EVENTS={"snapshot_every": setting}):
        assert save_in_steps(Repository(Kept, store=any_store), 1, 1, 1, 1) == versions


def test_ten_events_are_the_default(any_store: EventStore):
    class Kept(Basket):
        snapshot_every = None

    assert save_in_steps(Repository(Kept, store=any_store), 1, 8, 1, 9, 1) == [None, None, 9, 9, 19]


@pytest.mark.django_db
def test_a_snapshot_is_rolled_back_with_its_events():
    repository = Repository(Basket, store=event_store())
    with transaction.atomic():
        save_in_steps(repository, 3)
        assert snapshot_version(repository) == 2
        transaction.set_rollback(True)
    assert snapshot_version(repository) is None
    assert repository.find("1") is None


# --- what it holds ---


def test_a_snapshot_holds_the_typed_state(baskets: Repository[Basket]):
    save_in_steps(baskets, 3)
    snapshot = baskets.store.find_snapshot(STREAM)
    assert snapshot is not None
    assert (snapshot.version, snapshot.schema_version) == (2, 1)
    assert snapshot.data == {
        "lines": {"line 0": "1.50", "line 1": "1.50", "line 2": "1.50"},
        "total": "4.50",
        "last_added": "2026-03-01T12:00:00+00:00",
    }
    loaded = baskets.load("1")
    assert loaded.total == Decimal("4.50")
    assert loaded.last_added == MOMENT
    assert (loaded.version, loaded.id) == (2, "1")


class CountingStore(MemoryEventStore):
    """Knows how many events it has given out."""

    read = 0

    def _select(self, query, limit):
        events = super()._select(query, limit)
        self.read += len(events)
        return events


def test_loading_reads_the_later_events_only():
    repository = Repository(Basket, store=CountingStore())
    save_in_steps(repository, 3, 2)
    store = repository.store
    assert isinstance(store, CountingStore)
    loaded = repository.load("1")
    assert store.read == 2
    assert loaded.version == 4
    assert set(loaded.lines) == {f"line {number}" for number in range(5)}


def test_a_subclass_keeps_its_own_state_as_well(any_store: EventStore):
    class Wrapped(Basket):
        paper: str = "brown"

        def apply_line_added(self, event: LineAdded) -> None:
            super().apply_line_added(event)
            self.paper = event.name

    repository = Repository(Wrapped, store=any_store)
    save_in_steps(Repository(Basket, store=any_store), 1)  # compiles the parent's codec first
    aggregate = repository.load("1")
    aggregate.add("gold")
    aggregate.add("silver")
    repository.save(aggregate)
    assert repository.load("1").paper == "silver"
    assert "paper" not in Basket("1").to_snapshot()


@pytest.mark.django_db
def test_an_aggregate_that_no_snapshot_can_hold_is_refused_before_it_is_used():
    """Else the first to notice would be the request that saves the tenth event."""

    class Unstorable(EventSourcedAggregate):
        aggregate_type = "Unstorable"
        tags: set[str]

    with pytest.raises(RegistrationError, match=r"Unstorable\.tags: set\[str\] can't be stored"):
        Repository(Unstorable).find("1")


def test_an_aggregate_that_is_never_snapshotted_may_hold_anything():
    class Unstorable(EventSourcedAggregate):
        aggregate_type = "Unstorable"
        snapshot_every = 0
        tags: set[str]

    assert Repository(Unstorable, store=MemoryEventStore()).find("1") is None


def test_an_annotated_attribute_is_kept_whatever_its_name(any_store: EventStore):
    class Guarded(Basket):
        _removed: tuple[str, ...] = ()

        def apply_line_removed(self, event: LineRemoved) -> None:
            super().apply_line_removed(event)
            self._removed = (*self._removed, event.name)

    repository = Repository(Guarded, store=any_store)
    aggregate = Guarded("1")
    for name in ("a", "b"):
        aggregate.add(name)
        aggregate.remove(name)
    repository.save(aggregate)
    assert snapshot_version(repository) == 3
    assert repository.load("1")._removed == ("a", "b")


def test_state_in_an_attribute_without_annotation_is_refused_not_forgotten(any_store: EventStore):
    class Forgetful(Basket):
        def __init__(self, aggregate_id) -> None:
            super().__init__(aggregate_id)
            self.history = ["created"]

    with pytest.raises(RegistrationError, match=r"Forgetful.*history"):
        Forgetful("1").to_snapshot()


class Journal(EventSourcedAggregate):
    aggregate_type = "Basket"
    snapshot_every = 2

    entries: Any

    def __init__(self, aggregate_id) -> None:
        super().__init__(aggregate_id)
        self.entries = {}

    def add(self, name: str) -> None:
        self.add_event(LineAdded(name=name, price=Decimal(0)))

    def apply_line_added(self, event: LineAdded) -> None:
        self.entries[event.name] = self.entries.get(event.name, 0) + 1


def test_a_snapshot_does_not_change_with_the_aggregate_that_goes_on(any_store: EventStore):
    repository = Repository(Journal, store=any_store)
    journal = Journal("1")
    for name in ("a", "b"):
        journal.add(name)
    repository.save(journal)
    journal.add("a")
    repository.save(journal)
    assert snapshot_version(repository) == 1
    for _ in range(2):
        assert repository.load("1").entries == {"a": 2, "b": 1}


def test_a_first_batch_larger_than_the_interval_is_loaded_whole(baskets: Repository[Basket]):
    names = list("abcdefgh")
    baskets.save(basket(*names))
    assert set(baskets.load("1").lines) == set(names)
