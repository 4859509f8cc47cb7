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
from events.snapshots import Snapshot
from events.store.base import EventStore
from events.store.configured import event_store
from events.store.memory import MemoryEventStore
from events.streams import StreamName
from tests.aggregates.basket import Basket, LineAdded, LineRemoved, basket
from tests.factories import MOMENT

STREAM = StreamName("Basket", "1")
LINES = ["a", "b", "c", "d", "e", "f", "g", "h"]


def snapshot_version(repository: Repository[Any]) -> int | None:
    snapshot = repository.store.find_snapshot(STREAM)
    return snapshot.version if snapshot else None


def save_in_steps(repository: Repository[Any], *batches: int) -> list[int | None]:
    """Where the snapshot is after each save of so many events."""
    aggregate, versions = repository.aggregate_class("1"), []
    for batch in batches:
        for _ in range(batch):
            aggregate.add(f"line {len(aggregate.lines)}", occurred_on=MOMENT)
        repository.save(aggregate)
        versions.append(snapshot_version(repository))
    return versions


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


class Tagged(EventSourcedAggregate):
    """Stores a set, which the codec can't, in its own form."""

    aggregate_type = "Basket"
    snapshot_every = 2

    tags: set[str]

    def __init__(self, aggregate_id) -> None:
        super().__init__(aggregate_id)
        self.tags = set()

    @property
    def lines(self) -> set[str]:
        return self.tags

    def add(self, name: str, **envelope: Any) -> None:
        self.add_event(LineAdded(name=name, price=Decimal(0), **envelope))

    def apply_line_added(self, event: LineAdded) -> None:
        self.tags = self.tags | {event.name}

    def to_snapshot(self) -> dict[str, Any]:
        return {"tags": sorted(self.tags)}

    def from_snapshot(self, data: dict[str, Any]) -> None:
        self.tags = set(data["tags"])


def test_a_state_that_the_codec_cannot_store_is_stored_in_its_own_form(any_store: EventStore):
    repository = Repository(Tagged, store=any_store)
    save_in_steps(repository, 2)
    snapshot = any_store.find_snapshot(STREAM)
    assert snapshot is not None
    assert snapshot.data == {"tags": ["line 0", "line 1"]}
    assert repository.load("1").tags == {"line 0", "line 1"}
    verification = repository.verify_snapshot("1")
    assert verification is not None
    assert verification.matches


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


# --- which one is ignored ---


def falsify(repository: Repository[Basket], **changes: Any) -> None:
    """Stores another snapshot in place of the one that is there."""
    snapshot = repository.store.find_snapshot(STREAM)
    assert snapshot is not None
    values: dict[str, Any] = {
        "version": snapshot.version,
        "schema_version": snapshot.schema_version,
        "data": {**snapshot.data, "total": "99"},
    }
    repository.store.save_snapshot(STREAM, Snapshot(**values | changes))


def test_a_snapshot_of_the_current_schema_version_is_used(baskets: Repository[Basket]):
    save_in_steps(baskets, 3)
    falsify(baskets)
    assert baskets.load("1").total == 99


@pytest.mark.parametrize("schema_version", [0, 2])
def test_a_snapshot_of_another_schema_version_is_ignored(
    baskets: Repository[Basket], schema_version
):
    save_in_steps(baskets, 3)
    falsify(baskets, schema_version=schema_version)
    assert baskets.load("1").total == Decimal("4.50")
    assert baskets.verify_snapshot("1") is None


def test_the_next_save_replaces_a_snapshot_of_another_schema_version(baskets: Repository[Basket]):
    save_in_steps(baskets, 3)
    falsify(baskets, schema_version=2)
    loaded = baskets.load("1")
    loaded.add("x")
    baskets.save(loaded)
    snapshot = baskets.store.find_snapshot(STREAM)
    assert snapshot is not None
    assert (snapshot.version, snapshot.schema_version) == (3, 1)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"lines": {}, "total": "99"},
        {"lines": {}, "total": 99, "last_added": None},
        {"lines": [], "total": "99", "last_added": None},
        [],
        "nonsense",
    ],
    ids=repr,
)
def test_a_snapshot_that_does_not_fit_the_class_any_more_costs_a_replay_not_the_request(
    baskets: Repository[Basket], data
):
    """Its attributes were changed, and the schema version wasn't raised."""
    save_in_steps(baskets, 3)
    falsify(baskets, data=data)
    loaded = baskets.load("1")
    assert (loaded.total, loaded.version) == (Decimal("4.50"), 2)
    assert len(loaded.lines) == 3


def test_a_snapshot_that_an_own_form_cannot_read_costs_a_replay_not_the_request(
    any_store: EventStore,
):
    repository = Repository(Tagged, store=any_store)
    save_in_steps(repository, 2)
    any_store.save_snapshot(STREAM, Snapshot(version=1, schema_version=1, data={"labels": []}))
    assert repository.load("1").tags == {"line 0", "line 1"}


def test_a_class_that_takes_no_snapshots_uses_none_from_before(any_store: EventStore):
    repository = Repository(Basket, store=any_store)
    save_in_steps(repository, 3)
    falsify(repository)

    class Plain(Basket):
        snapshot_every = 0

    assert Repository(Plain, store=any_store).load("1").total == Decimal("4.50")


def test_a_missing_snapshot_costs_a_replay(baskets: Repository[Basket]):
    save_in_steps(baskets, 4)
    baskets.store.delete_snapshot(STREAM)
    assert baskets.load("1").version == 3


# --- verification ---


def test_a_snapshot_is_verified_against_a_full_replay(baskets: Repository[Basket]):
    assert baskets.verify_snapshot("1") is None
    save_in_steps(baskets, 3, 2)
    verification = baskets.verify_snapshot("1")
    assert verification is not None
    assert verification.matches
    assert verification.version == 2
    assert verification.replayed["total"] == "4.50"


def test_a_snapshot_that_differs_from_the_replay_is_found(baskets: Repository[Basket]):
    save_in_steps(baskets, 3, 2)
    falsify(baskets)
    verification = baskets.verify_snapshot("1")
    assert verification is not None
    assert not verification.matches
    assert (verification.stored["total"], verification.replayed["total"]) == ("99", "4.50")


def test_a_snapshot_with_every_kind_of_number_is_verified(any_store: EventStore):
    class Measuring(Basket):
        reading: float = 0.0

        def apply_line_added(self, event: LineAdded) -> None:
            super().apply_line_added(event)
            self.reading = float(event.price)

    repository = Repository(Measuring, store=any_store)
    for number in ("1e22", "-0.0", "5e-324", "1.7976931348623157e308", "0.1"):
        aggregate = repository.find("1") or Measuring("1")
        for _ in range(3):
            aggregate.add("a", number)
        repository.save(aggregate)
        verification = repository.verify_snapshot("1")
        assert verification is not None
        assert verification.matches
        assert repository.load("1").reading == float(number)


def test_a_first_batch_larger_than_the_interval_is_loaded_whole(baskets: Repository[Basket]):
    baskets.save(basket(*LINES))
    assert set(baskets.load("1").lines) == set(LINES)
