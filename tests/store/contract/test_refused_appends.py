"""Input that can't be stored: a refusal that names the field, before anything is written."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from events.context import message_context
from events.exceptions import EncodingError, InvalidInput
from events.store import appending
from events.store.appending import StreamAppend
from events.streams import ExpectedVersion, StreamName
from tests.factories import MOMENT, cart, item_added, item_removed, items, measured

LATE, EARLY = timezone(timedelta(hours=5)), timezone(timedelta(hours=-5))


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


REFUSED_EVENTS = {
    "NUL in a field": (item_added(name="a\0b"), "tests.ItemAdded.name"),
    "NUL in a value": (measured(["ok", {"key": "a\0b"}]), "reading[1].key"),
    "NUL in a key": (measured({"a\0b": 1}), "reading.'a\\x00b'"),
    "NUL in metadata": (item_added(metadata={"note": "a\0b"}), "metadata.note"),
    "NUL in a correlation id": (
        item_added(metadata={"correlation_id": "a\0b"}),
        "metadata.correlation_id",
    ),
    "half of a surrogate pair in a field": (item_added(name="a\ud83cb"), "tests.ItemAdded.name"),
    "half of a surrogate pair in a value": (measured({"key": ["\udc00"]}), "reading.key[0]"),
    "half of a surrogate pair in a key": (measured({"\ud83c": 1}), "reading.'\\ud83c'"),
    "half of a surrogate pair in metadata": (
        item_added(metadata={"note": "\ud83c"}),
        "metadata.note",
    ),
    "NaN": (measured([1.0, float("nan")]), "reading[1]"),
    "infinity": (measured({"key": float("-inf")}), "reading.key"),
    "NaN in metadata": (item_added(metadata={"ratio": float("nan")}), "metadata.ratio"),
    "a Decimal in an untyped field": (measured(Decimal(1)), "reading"),
    "a datetime in metadata": (item_added(metadata={"at": MOMENT}), "metadata.at"),
    "bytes": (measured({"key": b"x"}), "reading.key"),
    "a set": (measured([{1}]), "reading[0]"),
    "a key that is a number": (measured({"key": {1: "x"}}), "reading.key"),
    "a key in metadata that is a number": (item_added(metadata={"key": {1: "x"}}), "metadata.key"),
    "a value of another type than declared": (item_added(quantity="1"), "quantity"),
    "a boolean where a number is declared": (item_added(quantity=True), "quantity"),
    "too deep nesting": (measured(nested(100_000)), "reading"),
    "a moment without an offset": (
        item_added(occurred_on=MOMENT.replace(tzinfo=None)),
        "occurred_on",
    ),
    "a moment before the year 1 in UTC": (
        item_added(occurred_on=datetime(1, 1, 1, tzinfo=LATE)),
        "occurred_on",
    ),
    "a moment after the year 9999 in UTC": (
        item_added(occurred_on=datetime(9999, 12, 31, 23, tzinfo=EARLY)),
        "occurred_on",
    ),
    "a moment that is a string": (item_added(occurred_on="2026-03-01T12:00:00Z"), "occurred_on"),
    "an event id that is no UUID": (item_added(event_id="x" * 40), "event_id"),
    "a correlation id that is too long": (
        item_added(metadata={"correlation_id": "c" * 201}),
        "metadata.correlation_id",
    ),
    "a causation id that is too long": (
        item_added(metadata={"causation_id": "c" * 201}),
        "metadata.causation_id",
    ),
    "a user id that is too long": (item_added(metadata={"user_id": "u" * 201}), "metadata.user_id"),
    "a user id that is a number": (item_added(metadata={"user_id": 7}), "metadata.user_id"),
}


@pytest.mark.parametrize(("event", "field"), REFUSED_EVENTS.values(), ids=REFUSED_EVENTS)
@pytest.mark.parametrize("streams", ["one stream", "several streams"])
def test_an_event_that_cannot_be_stored_is_refused_by_name(store, streams, event, field):
    before = store.append(cart(), items(1))
    appends = [StreamAppend(cart(), [item_added(), event])]
    if streams == "several streams":
        appends.insert(0, StreamAppend(cart(2), items(1)))

    with pytest.raises(EncodingError) as refused:
        store.append_to_streams(appends)

    assert refused.value.field.startswith("events[1].")
    assert refused.value.field.endswith(f".{field}")
    assert str(refused.value).startswith(f"{refused.value.field}: ")
    assert [event.position for event in store.read_log()] == list(before.positions)
    assert (store.stream_version(cart()), store.stream_version(cart(2))) == (0, -1)
    assert store.append(cart(), items(1)).version == 1


@pytest.mark.parametrize("name", ["correlation_id", "causation_id", "user_id"])
@pytest.mark.parametrize("value", ["x" * 201, 7], ids=["too long", "a number"])
def test_a_context_that_cannot_be_stored_is_refused_by_name(store, name, value):
    with message_context(**{name: value}), pytest.raises(EncodingError) as refused:
        store.append(cart(), items(1))

    assert refused.value.field == f"metadata.{name}"
    assert store.stream_version(cart()) == -1


@pytest.mark.parametrize(
    "value", [float("inf"), "a\0b", "\ud83c", MOMENT], ids=["infinity", "NUL", "half", "datetime"]
)
def test_what_the_context_adds_to_the_metadata_must_be_plain_json(store, value):
    with message_context(extra_key=value), pytest.raises(EncodingError) as refused:
        store.append(cart(), items(1))

    assert refused.value.field.endswith("metadata.extra_key")
    assert store.stream_version(cart()) == -1


@pytest.mark.parametrize("expected", [ExpectedVersion.ANY, ExpectedVersion.NO_STREAM, 0])
def test_an_append_without_events_is_refused(store, expected):
    with pytest.raises(InvalidInput, match="Cart-cart-1") as refused:
        store.append(cart(), [], expected_version=expected)

    assert refused.value.field == "events"


def test_several_appends_of_which_one_has_no_events_are_refused(store):
    with pytest.raises(InvalidInput, match="Cart-cart-2") as refused:
        store.append_to_streams([StreamAppend(cart(1), items(1)), StreamAppend(cart(2), [])])

    assert refused.value.field == "events"
    assert store.stream_version(cart(1)) == -1


def test_no_append_at_all_is_refused(store):
    with pytest.raises(InvalidInput) as refused:
        store.append_to_streams([])

    assert refused.value.field == "appends"


def test_the_same_id_twice_in_one_append_is_refused(store):
    event = item_added()

    with pytest.raises(InvalidInput, match="same event_id") as refused:
        store.append(cart(), [event, item_added(), item_removed(event_id=event.event_id)])

    assert refused.value.field == "events"
    assert store.stream_version(cart()) == -1


def test_the_same_id_in_two_streams_of_an_append_is_refused(store):
    event = item_added()

    with pytest.raises(InvalidInput, match="same event_id") as refused:
        store.append_to_streams([StreamAppend(cart(1), [event]), StreamAppend(cart(2), [event])])

    assert refused.value.field == "appends"
    assert [store.stream_version(cart(number)) for number in (1, 2)] == [-1, -1]


def test_the_same_stream_twice_is_refused(store):
    with pytest.raises(InvalidInput, match="same stream") as refused:
        store.append_to_streams([StreamAppend(cart(), items(1)), StreamAppend(cart(), items(1))])

    assert refused.value.field == "appends"
    assert store.stream_version(cart()) == -1


def test_an_append_beyond_the_greatest_size_is_refused(store, monkeypatch):
    monkeypatch.setattr(appending, "MAX_APPEND_BYTES", 2_000)
    store.append(cart(), [item_added(name="x" * 1_000)])

    with pytest.raises(InvalidInput) as refused:
        store.append(cart(), [item_added(name="x" * 1_000), item_added(name="x" * 1_000)])

    assert refused.value.field == "events"
    assert store.stream_version(cart()) == 0


def test_the_size_of_an_append_is_counted_as_the_database_counts_it(store, monkeypatch):
    """In bytes, and of all streams together."""
    monkeypatch.setattr(appending, "MAX_APPEND_BYTES", 2_000)

    with pytest.raises(InvalidInput):
        store.append(cart(), [item_added(name="世" * 800)])
    with pytest.raises(InvalidInput):
        store.append_to_streams(
            [StreamAppend(cart(number), [item_added(name="x" * 500)]) for number in range(4)]
        )

    assert list(store.read_log()) == []


@pytest.mark.parametrize("depth", [50, 200, 400, 600, 900])
def test_what_is_nested_deeply_is_refused_or_can_be_read_from_anywhere(store, depth):
    """A value that only few callers can decode would stop the readers of all events around it."""
    with suppress(EncodingError):
        store.append(cart(), [measured(nested(depth))])
    store.append(cart(), items(1))

    def read(frames):
        return read(frames - 1) if frames else list(store.read_log())

    assert read(frames=300)[-1].event.name == "item 0"


@pytest.mark.parametrize(
    ("aggregate_type", "aggregate_id", "field"),
    [
        ("", "1", "aggregate_type"),
        ("T" * 101, "1", "aggregate_type"),
        ("Cart-Item", "1", "aggregate_type"),
        ("$all", "1", "aggregate_type"),
        ("Cart\0", "1", "aggregate_type"),
        ("Cart\ud83c", "1", "aggregate_type"),
        (None, "1", "aggregate_type"),
        ("Cart", "", "aggregate_id"),
        ("Cart", "1" * 256, "aggregate_id"),
        ("Cart", "a\0b", "aggregate_id"),
        ("Cart", "a\nb", "aggregate_id"),
        ("Cart", "a\udc00b", "aggregate_id"),
    ],
    ids=ascii,
)
def test_a_stream_has_a_name_that_can_be_stored_and_read(aggregate_type, aggregate_id, field):
    with pytest.raises(InvalidInput) as refused:
        StreamName(aggregate_type, aggregate_id)

    assert refused.value.field == field


@pytest.mark.parametrize(
    "moment",
    [datetime(1, 1, 1, tzinfo=LATE), datetime(9999, 12, 31, 23, tzinfo=EARLY)],
    ids=["before the year 1", "after the year 9999"],
)
def test_a_moment_that_a_driver_cannot_read_does_not_stop_all_readers(store, savepoint, moment):
    with suppress(InvalidInput, OverflowError), savepoint():
        store.append(cart(), [item_added(occurred_on=moment)])
    store.append(cart(), items(1))

    assert next(iter(store.read_log(backwards=True))).event.name == "item 0"
