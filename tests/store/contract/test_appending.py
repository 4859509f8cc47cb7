"""What an append stores, and where."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from events.context import message_context
from events.exceptions import ConcurrencyError, DuplicateEventId
from events.store.appending import StreamAppend, collecting_appends
from events.streams import ExpectedVersion, StreamName
from tests.factories import MOMENT, cart, item_added, item_removed, items, measured


def log(store):
    return [event.event_id for event in store.read_log()]


def test_a_stream_without_events_is_at_version_minus_one(store):
    assert store.stream_version(cart()) == -1


def test_the_first_event_has_sequence_number_0(store):
    result = store.append(cart(), [item_added()])

    assert result.version == store.stream_version(cart()) == 0
    assert [event.sequence_number for event in store.read_stream(cart())] == [0]


def test_an_append_goes_behind_the_events_that_are_there(store):
    store.append(cart(), items(2))
    result = store.append(cart(), items(3))

    assert result.version == store.stream_version(cart()) == 4
    assert [event.sequence_number for event in store.read_stream(cart())] == [0, 1, 2, 3, 4]


def test_events_of_one_append_keep_their_order(store):
    added = items(20)

    store.append(cart(), added)

    assert [recorded.event for recorded in store.read_stream(cart())] == added
    assert log(store) == [event.event_id for event in added]


def test_the_result_names_stream_positions_and_time_of_what_was_stored(store):
    store.append(cart(1), items(2))
    result = store.append(cart(2), items(3))
    stored = list(store.read_stream(cart(2)))

    assert result.stream == cart(2)
    assert result.positions == tuple(event.position for event in stored)
    assert {result.recorded_at} == {event.recorded_at for event in stored}
    assert not result.replayed


def test_positions_rise_over_all_streams(store):
    results = [store.append(cart(number % 3), items(number)) for number in (1, 4, 2, 3)]

    positions = [position for result in results for position in result.positions]
    assert positions == sorted(set(positions))
    assert positions == [event.position for event in store.read_log()]


def test_a_recorded_event_holds_all_that_was_appended(store):
    before = datetime.now(UTC)
    event = item_added(
        event_id=UUID(int=7),
        name="pencil",
        quantity=12,
        occurred_on=MOMENT,
        metadata={"correlation_id": "c", "causation_id": "b", "user_id": "u", "shelf": [1, None]},
    )
    result = store.append(StreamName("Cart", "a-b"), [event])

    (recorded,) = store.read_stream(StreamName("Cart", "a-b"))
    assert recorded.event == event
    assert recorded.stream == StreamName("Cart", "a-b")
    assert (recorded.aggregate_type, recorded.aggregate_id) == ("Cart", "a-b")
    assert (recorded.position,) == result.positions
    assert recorded.event_id == recorded.event.event_id == UUID(int=7)
    assert (recorded.event_type, recorded.event_version) == ("tests.ItemAdded", 1)
    assert recorded.data == {"name": "pencil", "quantity": 12}
    assert recorded.metadata == event.metadata
    assert recorded.occurred_on == recorded.event.occurred_on == MOMENT
    assert before <= recorded.recorded_at <= datetime.now(UTC) + timedelta(seconds=1)


def test_metadata_comes_from_the_context_and_the_event_wins(store):
    with message_context(correlation_id="c", causation_id="b", user_id="u", tenant="t"):
        store.append(cart(), [item_added(), item_added(metadata={"user_id": "v", "extra": 1})])

    first, second = (event.metadata for event in store.read_stream(cart()))
    assert first == {"correlation_id": "c", "causation_id": "b", "user_id": "u", "tenant": "t"}
    assert second == first | {"user_id": "v", "extra": 1}


def test_an_append_without_context_starts_a_conversation_of_its_own(store):
    store.append(cart(), items(2))
    store.append(cart(), items(1))

    first, second, third = (event.metadata["correlation_id"] for event in store.read_stream(cart()))
    assert first == second
    assert first != third


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
        datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=-9, minutes=-30))),
        datetime(1890, 1, 1, tzinfo=timezone(timedelta(minutes=19, seconds=32))),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
    ids=str,
)
def test_the_moment_of_an_event_survives(store, moment):
    store.append(cart(), [item_added(occurred_on=moment)])

    (recorded,) = store.read_stream(cart())
    assert recorded.occurred_on == recorded.event.occurred_on == moment


@pytest.mark.parametrize(
    "value",
    [
        "Grüße, 世界 🎈",
        "a backslash and u0000: \\u0000",
        "\\",
        "'; DROP TABLE events; -- %s %(x)s {}",
        "line\nbreak\ttab \x7f \u2028",
        10**40,
        -(2**63),
        0.1,
        1e22,
        5e-324,
        [[], {}, "", None, True, False],
        {"": {"$ref": [1, {"position": 2}]}, "ключ": "значение"},
    ],
    ids=str,
)
def test_any_json_value_survives(store, value):
    store.append(cart(), [measured(value, metadata={"free": value})])

    (recorded,) = store.read_stream(cart())
    assert recorded.event.reading == value
    assert recorded.metadata["free"] == value


def test_changing_a_value_after_the_append_does_not_change_what_is_stored(store):
    reading, metadata = {"values": [1]}, {"notes": ["a"]}
    store.append(cart(), [measured(reading, metadata=metadata)])

    reading["values"].append(2)
    metadata["notes"].append("b")

    (recorded,) = store.read_stream(cart())
    assert recorded.data == {"reading": {"values": [1]}}
    assert recorded.metadata["notes"] == ["a"]


def test_names_of_the_greatest_length_are_stored(store):
    stream = StreamName("T" * 100, "🎈" * 255)
    metadata = dict.fromkeys(("correlation_id", "causation_id", "user_id"), "ж" * 200)

    store.append(stream, [item_added(metadata=metadata)])

    (recorded,) = store.read_page(str(stream)).events
    assert recorded.stream == stream
    assert [event.event_id for event in store.read_correlated("ж" * 200)] == [recorded.event_id]
    assert [event.event_id for event in store.read_caused_by("ж" * 200)] == [recorded.event_id]


def test_ten_thousand_events_go_into_one_append(store):
    added = items(10_000)
    result = store.append(cart(), added, expected_version=ExpectedVersion.NO_STREAM)

    assert result.version == store.stream_version(cart()) == 9_999
    assert len(set(result.positions)) == 10_000
    assert [recorded.event_id for recorded in store.read_stream(cart())] == [
        event.event_id for event in added
    ]
    assert store.append(cart(), added).positions == result.positions


def test_streams_appended_together_stand_in_the_log_in_the_order_given(store):
    store.append(cart(2), items(1))
    added = {number: items(2) for number in (3, 1, 2)}

    results = store.append_to_streams(
        [StreamAppend(cart(number), events) for number, events in added.items()]
    )

    assert [result.stream for result in results] == [cart(3), cart(1), cart(2)]
    assert [result.version for result in results] == [1, 1, 2]
    assert log(store)[1:] == [event.event_id for events in added.values() for event in events]
    for result, events in zip(results, added.values(), strict=True):
        assert result.positions == tuple(
            store.get_event(event.event_id).position for event in events
        )


@pytest.mark.parametrize("refused_index", [0, 1, 2])
def test_of_several_appends_with_one_conflict_nothing_is_stored(store, refused_index):
    store.append(cart(1), items(1))
    before = log(store)
    expected = [0, ExpectedVersion.NO_STREAM, ExpectedVersion.ANY]
    expected[refused_index] = 7

    with pytest.raises(ConcurrencyError) as refused:
        store.append_to_streams(
            [StreamAppend(cart(n), items(2), version) for n, version in enumerate(expected, 1)]
        )

    assert refused.value.stream == cart(refused_index + 1)
    assert log(store) == before
    assert [store.stream_version(cart(number)) for number in (1, 2, 3)] == [0, -1, -1]


@pytest.mark.parametrize("expected", [ExpectedVersion.ANY, ExpectedVersion.NO_STREAM])
def test_of_several_appends_with_one_taken_id_nothing_is_stored(store, savepoint, expected):
    taken = item_added()
    store.append(cart(9), [taken])

    with pytest.raises(DuplicateEventId) as refused, savepoint():
        store.append_to_streams(
            [
                StreamAppend(cart(1), items(2)),
                StreamAppend(cart(2), [item_removed(), taken], expected),
            ]
        )

    assert refused.value.stream == cart(2)
    assert log(store) == [taken.event_id]
    assert [store.stream_version(cart(number)) for number in (1, 2, 9)] == [-1, -1, 0]


def test_a_stream_can_be_started_after_a_refusal(store):
    appends = [StreamAppend(cart(1), items(1)), StreamAppend(cart(2), items(1), 5)]
    with pytest.raises(ConcurrencyError):
        store.append_to_streams(appends)

    assert store.append(cart(1), items(1), expected_version=ExpectedVersion.NO_STREAM).version == 0


def test_results_are_collected_in_the_order_of_the_appends(store):
    with collecting_appends() as results:
        first = store.append(cart(1), items(1))
        several = store.append_to_streams(
            [StreamAppend(cart(2), items(1)), StreamAppend(cart(1), items(1))]
        )
    store.append(cart(1), items(1))

    assert results == [first, *several]
