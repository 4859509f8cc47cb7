"""Reads of one stream, by version."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.exceptions import InvalidInput
from events.streams import StreamName
from tests.factories import cart, item_added, item_removed, items

LENGTH = 12
BOUNDS = st.one_of(st.none(), st.integers(-2, LENGTH + 2))
LIMITS = st.one_of(st.none(), st.integers(1, LENGTH + 2))


@pytest.fixture
def stream(store):
    """A stream of which every third event is a removal, in between another one's events."""
    for number in range(LENGTH):
        event = item_removed() if number % 3 == 2 else item_added(name=f"item {number}")
        store.append(cart(), [event])
        store.append(cart(11), items(1))
    return cart()


def versions(events):
    return [event.sequence_number for event in events]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    first=st.integers(-2, LENGTH + 2),
    last=BOUNDS,
    types=st.sampled_from([None, "tests.ItemAdded", "tests.ItemRemoved", "tests.Unheard"]),
    backwards=st.booleans(),
    limit=LIMITS,
    batch_size=st.integers(1, LENGTH + 2),
)
def test_a_read_gives_what_its_bounds_say(
    store, stream, first, last, types, backwards, limit, batch_size
):
    found = store.read_stream(
        stream,
        from_version=first,
        to_version=last,
        event_types=types and [types],
        backwards=backwards,
        limit=limit,
        batch_size=batch_size,
    )

    wanted = [
        version
        for version in range(LENGTH)
        if first <= version <= (LENGTH if last is None else last)
        and types in (None, "tests.ItemRemoved" if version % 3 == 2 else "tests.ItemAdded")
    ]
    assert versions(found) == (wanted[::-1] if backwards else wanted)[:limit]


def test_a_read_without_bounds_gives_the_whole_stream_from_event_0(store, stream):
    assert versions(store.read_stream(stream)) == list(range(LENGTH))
    assert versions(store.read_stream(stream, backwards=True)) == list(range(LENGTH))[::-1]


def test_both_bounds_are_inclusive_in_both_directions(store, stream):
    assert versions(store.read_stream(stream, from_version=3, to_version=5)) == [3, 4, 5]
    assert versions(store.read_stream(stream, from_version=3, to_version=5, backwards=True)) == [
        5,
        4,
        3,
    ]


def test_the_last_events_of_a_stream_are_a_backwards_read_with_a_limit(store, stream):
    assert versions(store.read_stream(stream, backwards=True, limit=2)) == [11, 10]


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 6, 11, 12, 13])
def test_no_event_is_missed_or_repeated_at_the_borders_of_batches(
    store, stream, batch_size, backwards
):
    for limit in (None, *range(1, LENGTH + 2)):
        found = versions(
            store.read_stream(stream, batch_size=batch_size, backwards=backwards, limit=limit)
        )
        wanted = list(range(LENGTH))
        assert found == (wanted[::-1] if backwards else wanted)[:limit]


def test_several_event_types_can_be_asked_for(store, stream):
    both = store.read_stream(stream, event_types=["tests.ItemAdded", "tests.ItemRemoved"])
    none = store.read_stream(stream, event_types=[])

    assert versions(both) == list(range(LENGTH))
    assert versions(none) == []


def test_a_stream_that_does_not_exist_is_empty(store, stream):
    assert list(store.read_stream(cart("unheard"))) == []


def test_streams_with_similar_names_are_not_mixed(store):
    names = ["1", "11", "1-1", "1_", "1%", "A", "a", "\u00e1", "a\u0301", "1 ", "*"]
    for name in names:
        store.append(StreamName("Cart", name), [item_added(name=name)])

    for name in names:
        assert [event.data["name"] for event in store.read_stream(StreamName("Cart", name))] == [
            name
        ]
        assert [event.data["name"] for event in store.read_page(f"Cart-{name}").events] == [name]


def test_a_read_goes_on_with_what_was_appended_meanwhile(store):
    store.append(cart(), items(4))
    found = store.read_stream(cart(), batch_size=2)
    assert next(found).sequence_number == 0

    store.append(cart(), items(3))

    assert versions(found) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("bound", "field"),
    [({"limit": 0}, "limit"), ({"limit": -1}, "limit"), ({"batch_size": 0}, "batch_size")],
)
def test_a_limit_below_one_is_refused_at_the_call(store, bound, field):
    with pytest.raises(InvalidInput) as refused:
        store.read_stream(cart(), **bound)
    assert refused.value.field == field

    with pytest.raises(InvalidInput) as refused:
        store.read_log(**bound)
    assert refused.value.field == field
