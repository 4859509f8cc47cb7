"""One snapshot a stream, replaced by the next."""

from __future__ import annotations

from datetime import UTC, datetime

from events.snapshots import Snapshot
from events.streams import StreamName
from tests.factories import cart


def snapshot(**overrides):
    values = {
        "version": 9,
        "schema_version": 1,
        "data": {"total": "1.50", "lines": [{"name": "Tee 🎈"}], "nothing": None},
        "created_at": datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC),
    }
    return Snapshot(**values | overrides)


def test_a_stream_has_no_snapshot_at_first(store):
    assert store.find_snapshot(cart()) is None


def test_a_snapshot_is_found_as_it_was_saved(store):
    store.save_snapshot(cart(), snapshot())

    assert store.find_snapshot(cart()) == snapshot()


def test_a_snapshot_replaces_the_one_before(store):
    store.save_snapshot(cart(), snapshot())
    newer = snapshot(
        version=19, schema_version=2, data={}, created_at=datetime(2026, 4, 1, tzinfo=UTC)
    )
    store.save_snapshot(cart(), newer)

    assert store.find_snapshot(cart()) == newer


def test_streams_keep_snapshots_of_their_own(store):
    streams = [cart(1), cart(11), StreamName("Order", "cart-1")]
    for version, stream in enumerate(streams):
        store.save_snapshot(stream, snapshot(version=version))

    assert [store.find_snapshot(stream).version for stream in streams] == [0, 1, 2]


def test_a_snapshot_can_be_deleted_whether_it_exists_or_not(store):
    store.save_snapshot(cart(1), snapshot())
    store.save_snapshot(cart(2), snapshot())

    store.delete_snapshot(cart(1))
    store.delete_snapshot(cart(1))

    assert store.find_snapshot(cart(1)) is None
    assert store.find_snapshot(cart(2)) == snapshot()


def test_changing_the_data_of_a_snapshot_does_not_change_what_is_kept(store):
    data = {"lines": [1]}
    store.save_snapshot(cart(), snapshot(data=data))

    data["lines"].append(2)
    store.find_snapshot(cart()).data["lines"].append(3)

    assert store.find_snapshot(cart()).data == {"lines": [1]}
