"""A state that the codec can't store is stored by the class itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from events.aggregates import EventSourcedAggregate
from events.repository import Repository
from events.snapshots import Snapshot
from events.store.base import EventStore
from tests.aggregates.basket import STREAM, LineAdded, save_in_steps


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


def test_a_snapshot_that_an_own_form_cannot_read_costs_a_replay_not_the_request(
    any_store: EventStore,
):
    repository = Repository(Tagged, store=any_store)
    save_in_steps(repository, 2)
    any_store.save_snapshot(STREAM, Snapshot(version=1, schema_version=1, data={"labels": []}))
    assert repository.load("1").tags == {"line 0", "line 1"}
