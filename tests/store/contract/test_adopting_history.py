"""`append_history`: events that happened elsewhere, with their ids and times, in bulk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from events.exceptions import DuplicateEventId, InvalidInput
from events.store.appending import StreamAppend
from events.store.history import PastEvent, prepare_past
from events.streams import StreamName
from tests.factories import MOMENT, cart, item_added, items, past


def log(store):
    return [event.event_id.int for event in store.read_log()]


def test_past_events_keep_all_that_they_are(store):
    event = past(
        7,
        stream=StreamName("Case", "a\\b-ü"),
        event_type="T02 Check\\n receipt",
        event_version=3,
        data={"text": 'tab\t line\n back\\slash \\N "quoted" 世界', "list": [1, None, 0.5, {}]},
        occurred_on=datetime(1890, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        metadata={"correlation_id": "c\t\\N", "causation_id": "", "free": ["\\."]},
    )

    result = store.append_history([event])

    (recorded,) = store.read_stream(event.stream)
    assert (result.stored, result.known) == (1, 0)
    assert (recorded.event_id, recorded.event_type) == (event.event_id, event.event_type)
    assert (recorded.event_version, recorded.data) == (3, event.data)
    assert recorded.occurred_on == event.occurred_on
    assert recorded.metadata == {
        "correlation_id": "c\t\\N",
        "causation_id": "",
        "user_id": None,
        "free": ["\\."],
    }
    assert recorded.sequence_number == store.stream_version(event.stream) == 0
    assert [found.event_id for found in store.read_correlated("c\t\\N")] == [event.event_id]


def test_a_domain_event_becomes_a_past_one(store):
    event = item_added(metadata={"user_id": "u"})

    store.append_history([PastEvent.of(cart(), event)])

    (recorded,) = store.read_stream(cart())
    assert recorded.event == event
    assert (recorded.event_id, recorded.occurred_on) == (event.event_id, MOMENT)
    assert recorded.metadata["user_id"] == "u"


def test_without_a_correlation_each_stream_is_a_conversation(store):
    store.append_history([past(1), past(2, stream=cart(2)), past(3)])

    first, second, third = (event.metadata["correlation_id"] for event in store.read_log())
    assert first == third != second
    assert [event.event_id.int for event in store.read_correlated(first)] == [1, 3]


def test_past_events_of_many_streams_stand_in_the_log_in_the_order_given(store):
    store.append(cart(2), items(1))
    streams = [1, 2, 1, 3, 2, 1]

    store.append_history([past(n, stream=cart(stream)) for n, stream in enumerate(streams, 1)])

    assert log(store)[1:] == [1, 2, 3, 4, 5, 6]
    positions = [event.position for event in store.read_log()]
    assert positions == sorted(set(positions))
    assert positions[-1] == store.high_water_mark()
    assert [store.stream_version(cart(stream)) for stream in (1, 2, 3)] == [2, 2, 0]
    assert [event.sequence_number for event in store.read_stream(cart(1))] == [0, 1, 2]
    assert [event.sequence_number for event in store.read_stream(cart(2))] == [0, 1, 2]


def test_past_events_and_appends_follow_each_other_in_a_stream(store):
    store.append_history([past(1), past(2)])
    assert store.append(cart(), items(1), expected_version=1).version == 2
    store.append_history([past(3)])
    results = store.append_to_streams(
        [StreamAppend(cart(), items(1), 3), StreamAppend(cart(2), items(1))]
    )

    assert [result.version for result in results] == [4, 0]
    assert [event.sequence_number for event in store.read_stream(cart())] == [0, 1, 2, 3, 4]


def test_the_same_history_again_stores_nothing(store):
    events = [past(n, stream=cart(n % 3)) for n in range(1, 10)]
    store.append_history(events)

    again = store.append_history(events)

    assert (again.stored, again.known) == (0, 9)
    assert log(store) == list(range(1, 10))
    assert store.stream_version(cart(1)) == 2


def test_of_a_history_that_is_there_in_part_the_rest_is_stored(store):
    store.append_history([past(1), past(2), past(3, stream=cart(2))])

    result = store.append_history(
        [past(1), past(2), past(3, stream=cart(2)), past(4), past(5, stream=cart(3))]
    )

    assert (result.stored, result.known) == (2, 3)
    assert log(store) == [1, 2, 3, 4, 5]
    assert [store.stream_version(cart(n)) for n in (1, 2, 3)] == [2, 0, 0]
    assert [event.sequence_number for event in store.read_stream(cart())] == [0, 1, 2]


def test_an_event_given_twice_is_stored_once(store):
    result = store.append_history([past(1), past(2), past(1)])

    assert (result.stored, result.known) == (2, 1)
    assert log(store) == [1, 2]


def test_no_events_at_all_are_no_error(store):
    result = store.append_history([])

    assert (result.stored, result.known) == (0, 0)


@pytest.mark.parametrize(
    "changed",
    [
        {"stream": cart(2)},
        {"stream": cart("new")},
        {"event_type": "Something else"},
        {"occurred_on": MOMENT + timedelta(microseconds=1)},
    ],
    ids=str,
)
def test_an_id_of_another_event_is_refused_by_name_and_nothing_is_stored(store, changed):
    store.append_history([past(1), past(2, stream=cart(2))])

    with pytest.raises(DuplicateEventId) as refused:
        store.append_history([past(8), past(1, **changed), past(9, stream=cart(5))])

    assert refused.value.event_ids == (UUID(int=1),)
    assert refused.value.stream == changed.get("stream", cart())
    assert log(store) == [1, 2]
    assert [store.stream_version(cart(n)) for n in (1, 2, 5, "new")] == [0, 0, -1, -1]
    assert store.append_history([past(8)]).stored == 1


def test_two_different_events_with_one_id_are_refused(store):
    with pytest.raises(DuplicateEventId) as refused:
        store.append_history([past(1), past(1, stream=cart(2))])

    assert refused.value.event_ids == (UUID(int=1),)
    assert log(store) == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"event_id": "1"}, "event_id"),
        ({"event_type": ""}, "event_type"),
        ({"event_type": "a\nb"}, "event_type"),
        ({"event_type": "x" * 101}, "event_type"),
        ({"event_version": 0}, "event_version"),
        ({"event_version": 2**31}, "event_version"),
        ({"event_version": True}, "event_version"),
        ({"data": []}, "data"),
        ({"data": {"a": ["\0"]}}, "data.a[0]"),
        ({"data": {"a": "\udc00"}}, "data.a"),
        ({"data": {"a": float("nan")}}, "data.a"),
        ({"metadata": {"user_id": 1}}, "metadata.user_id"),
        ({"metadata": {"correlation_id": "c" * 201}}, "metadata.correlation_id"),
        ({"occurred_on": datetime(2026, 1, 1)}, "occurred_on"),  # noqa: DTZ001
        ({"occurred_on": "2026-01-01"}, "occurred_on"),
    ],
    ids=str,
)
def test_what_can_not_be_stored_is_refused_with_its_field_and_nothing_is_stored(
    store, changed, field
):
    with pytest.raises(InvalidInput) as refused:
        store.append_history([past(1), past(2, **changed)])

    assert refused.value.field == field
    assert log(store) == []


def test_prepared_events_are_stored_as_well(store):
    assert store.append_history([prepare_past(past(1)), past(2)]).stored == 2
    assert log(store) == [1, 2]


def test_times_in_the_hour_that_summer_time_doubles_are_known_again(store):
    amsterdam = ZoneInfo("Europe/Amsterdam")
    doubled = [datetime(2017, 10, 29, 2, 30, tzinfo=amsterdam, fold=fold) for fold in (0, 1)]
    events = [past(number, occurred_on=moment) for number, moment in enumerate(doubled)]
    store.append_history(events)

    assert store.append_history([*events, past(9, stream=cart(2))]).known == 2
    assert [event.occurred_on for event in store.read_stream(cart())] == [
        datetime(2017, 10, 29, 0, 30, tzinfo=UTC),
        datetime(2017, 10, 29, 1, 30, tzinfo=UTC),
    ]
