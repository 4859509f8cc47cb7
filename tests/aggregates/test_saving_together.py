"""Aggregates of any classes, saved in one append: all or none."""

from __future__ import annotations

import pytest

from events.exceptions import ConcurrencyError
from events.repository import Repository, save_all
from events.streams import StreamName
from tests.aggregates.basket import Basket, basket, snapshot_version


class Chest(Basket):
    aggregate_type = "Chest"


def test_all_are_saved_in_their_order(any_store):
    first, second = basket("pen", aggregate_id="1"), Chest("1")
    second.add("ink")
    save_all([second, first], store=any_store)
    log = [(recorded.aggregate_type, recorded.data["name"]) for recorded in any_store.read_log()]
    assert log == [("Chest", "ink"), ("Basket", "pen")]
    assert (first.version, first.uncommitted_events) == (0, ())
    assert (second.version, second.uncommitted_events) == (0, ())


def test_a_conflict_in_one_saves_none(any_store, baskets: Repository[Basket]):
    baskets.save(basket("pen", aggregate_id="1"))
    stale, other = basket("ink", aggregate_id="1"), basket("paper", aggregate_id="2")
    with pytest.raises(ConcurrencyError) as caught:
        save_all([other, stale], store=any_store)
    assert caught.value.stream == StreamName("Basket", "1")
    assert baskets.find("2") is None
    assert len(other.uncommitted_events) == 1


def test_what_has_not_changed_is_not_written(any_store, baskets: Repository[Basket]):
    baskets.save(basket("pen", aggregate_id="1"))
    unchanged, changed = baskets.load("1"), basket("ink", aggregate_id="2")
    save_all([unchanged, changed], store=any_store)
    save_all([unchanged, changed], store=any_store)
    assert (unchanged.version, changed.version) == (0, 0)
    assert any_store.stream_version(StreamName("Basket", "1")) == 0


def test_each_gets_its_snapshot_when_it_is_due(any_store, baskets: Repository[Basket]):
    save_all(
        [basket("a", "b", aggregate_id="2"), basket("a", "b", "c", aggregate_id="1")],
        store=any_store,
    )
    assert snapshot_version(baskets) == 2
    assert any_store.find_snapshot(StreamName("Basket", "2")) is None
