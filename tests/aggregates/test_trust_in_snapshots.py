"""Which snapshot is used, which one is ignored, and how one is verified."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from events.repository import Repository
from events.snapshots import Snapshot
from events.store.base import EventStore
from tests.aggregates.basket import STREAM, Basket, LineAdded, save_in_steps

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
