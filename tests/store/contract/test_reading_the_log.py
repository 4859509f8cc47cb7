"""Reads across streams, by position: the log, a category, pages of either, one conversation."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.exceptions import EventNotFound, InvalidInput
from events.store import source
from events.store.appending import StreamAppend
from events.streams import StreamName
from tests.factories import cart, item_added, item_removed, items

CATEGORIES = ("Cart", "CartItem", "cart", "Order")
LENGTH = 16
# Any number of them, also the same one twice.
TYPES = st.one_of(
    st.none(),
    st.lists(st.sampled_from(["tests.ItemAdded", "tests.ItemRemoved", "tests.Unheard"])),
)


@pytest.fixture
def log(store):
    """Events of four categories in turn; every third one is a removal."""
    for number in range(LENGTH):
        event = item_removed() if number % 3 == 2 else item_added(name=f"item {number}")
        store.append(StreamName(CATEGORIES[number % 4], "1"), [event])
    log = list(store.read_log())
    assert len(log) == LENGTH
    return log


def positions(events):
    return [event.position for event in events]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    category=st.sampled_from([None, *CATEGORIES, "Unheard"]),
    first=st.integers(-1, LENGTH + 1),
    last=st.one_of(st.none(), st.integers(-1, LENGTH + 1)),
    types=TYPES,
    backwards=st.booleans(),
    limit=st.one_of(st.none(), st.integers(1, LENGTH + 1)),
    batch_size=st.integers(1, LENGTH + 1),
)
def test_a_read_gives_what_its_bounds_say(
    store, log, category, first, last, types, backwards, limit, batch_size
):
    start = log[0].position
    found = store.read_log(
        category=category,
        from_position=start + first,
        to_position=None if last is None else start + last,
        event_types=types,
        backwards=backwards,
        limit=limit,
        batch_size=batch_size,
    )

    wanted = [
        event.position
        for event in log
        if start + first <= event.position <= start + (LENGTH if last is None else last)
        and category in (None, event.aggregate_type)
        and (types is None or event.event_type in types)
    ]
    assert positions(found) == (wanted[::-1] if backwards else wanted)[:limit]


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(["$all", *CATEGORIES, "Cart-1", "Order-1", "Unheard", "Cart-unheard"]),
    count=st.integers(1, LENGTH + 1),
    types=TYPES,
)
def test_pages_one_after_the_other_give_everything_once(store, log, name, count, types):
    found, position, sizes = [], 0, []
    while not sizes or sizes[-1] == count:
        page = store.read_page(name, position=position, count=count, event_types=types)
        assert page.next_position >= position
        found += page.events
        position = page.next_position
        sizes.append(len(page.events))

    wanted = [
        event
        for event in log
        if name in ("$all", event.aggregate_type, str(event.stream))
        and (types is None or event.event_type in types)
    ]
    assert found == wanted
    assert max(sizes) <= count


def test_reading_goes_on_behind_the_last_page(store, log):
    for name in ("$all", "Cart", "Cart-1"):
        position = store.read_page(name, count=LENGTH).next_position
        assert not store.read_page(name, position=position).events

        result = store.append(StreamName("Cart", "1"), items(1))

        (event,) = store.read_page(name, position=position).events
        assert event.position == result.positions[0]


def test_a_page_of_a_stream_starts_at_its_version(store, log):
    page = store.read_page("Cart-1", position=1, count=2)

    assert [event.sequence_number for event in page.events] == [1, 2]
    assert page.next_position == 3


def test_a_page_without_matches_moves_on_to_the_mark(store, log):
    page = store.read_page("$all", event_types=["tests.Unheard"])

    assert not page.events
    assert page.next_position == log[-1].position + 1


def test_an_empty_log_has_no_events_to_read(store):
    assert list(store.read_log()) == []
    assert list(store.read_log(backwards=True)) == []
    assert list(store.read_log(category="Cart")) == []
    for name in ("$all", "Cart", "Cart-1"):
        assert not store.read_page(name).events


@pytest.mark.parametrize("read", ["read_log", "read_page"])
def test_events_beyond_the_high_water_mark_are_not_read(store, log, monkeypatch, read):
    mark = log[9].position
    monkeypatch.setattr(type(store), "high_water_mark", lambda self: mark)

    def found(name):
        if read == "read_page":
            return positions(store.read_page(name).events)
        return positions(store.read_log(category=None if name == "$all" else name))

    assert found("$all") == positions(log[:10])
    assert found("Cart") == positions(event for event in log[:10] if event.aggregate_type == "Cart")


def test_a_page_never_leads_beyond_the_high_water_mark(store, log, monkeypatch):
    mark = log[9].position
    monkeypatch.setattr(type(store), "high_water_mark", lambda self: mark)

    for name in ("$all", *CATEGORIES, "Unheard"):
        for count in range(1, 12):
            assert store.read_page(name, count=count).next_position <= mark + 1


def test_a_bound_beyond_the_high_water_mark_does_not_lead_beyond_it(store, log, monkeypatch):
    mark = log[9].position
    monkeypatch.setattr(type(store), "high_water_mark", lambda self: mark)

    assert positions(store.read_log(to_position=mark + 3)) == positions(log[:10])
    assert positions(store.read_log(backwards=True, limit=1)) == [mark]
    assert positions(store.read_log(to_position=mark - 3)) == positions(log[:7])


def test_the_mark_is_that_of_the_call(store, log):
    found = store.read_log(batch_size=4)
    store.append(cart(), items(1))

    assert positions(found) == positions(log)


def test_the_mark_covers_what_was_appended(store):
    marks = []
    for count in (1, 3, 2):
        last = store.append(cart(), items(count)).positions[-1]
        marks.append(store.high_water_mark())
        assert marks[-1] >= last

    assert marks == sorted(marks)


def test_event_types_may_be_any_number(store, log):
    both = store.read_log(event_types=("tests.ItemAdded", "tests.ItemRemoved", "tests.Unheard"))

    assert positions(both) == positions(log)
    assert list(store.read_log(event_types=[])) == []
    assert not store.read_page("$all", event_types=[]).events


def test_event_types_given_as_one_string_are_refused(store, log):
    """A string is a sequence of strings too: no event is of a type of one letter."""
    for read in (
        lambda: store.read_log(event_types="tests.ItemAdded"),
        lambda: store.read_stream(StreamName("Cart", "1"), event_types="tests.ItemAdded"),
        lambda: store.read_page("$all", event_types="tests.ItemAdded"),
    ):
        with pytest.raises(InvalidInput) as refused:
            read()
        assert refused.value.field == "event_types"


@pytest.mark.parametrize("category", ["Cart-1", "", "$other", "Cart\0"], ids=ascii)
def test_a_category_that_cannot_exist_is_refused(store, log, category):
    """A stream's name would be read by sequence number from 1 on: without its first event."""
    with pytest.raises(InvalidInput) as refused:
        store.read_log(category=category)

    assert refused.value.field in ("category", "aggregate_type")


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("", "aggregate_type"),
        ("-1", "aggregate_type"),
        ("$other", "aggregate_type"),
        ("$all-1", "aggregate_type"),
        ("Cart-", "aggregate_id"),
        ("T" * 101, "aggregate_type"),
        (f"Cart-{'1' * 256}", "aggregate_id"),
        ("Cart\0", "aggregate_type"),
        ("Cart-\0", "aggregate_id"),
    ],
    ids=ascii,
)
def test_a_page_of_a_name_that_cannot_exist_is_refused(store, name, field):
    with pytest.raises(InvalidInput) as refused:
        store.read_page(name)

    assert refused.value.field == field


@pytest.mark.parametrize("count", [0, -1])
def test_a_page_of_less_than_one_event_is_refused(store, count):
    with pytest.raises(InvalidInput) as refused:
        store.read_page("$all", count=count)

    assert refused.value.field == "count"


def test_one_event_is_found_by_its_id(store, log):
    for event in log:
        assert store.get_event(event.event_id) == event


def test_an_id_that_no_event_has_is_an_error_that_names_it(store, log):
    with pytest.raises(EventNotFound, match=str(UUID(int=9))) as refused:
        store.get_event(UUID(int=9))

    assert refused.value.event_id == UUID(int=9)


def test_events_of_a_conversation_are_read_across_streams_in_the_order_of_the_log(store):
    a, b = {"correlation_id": "a"}, {"correlation_id": "b"}
    store.append_to_streams(
        [
            StreamAppend(cart(2), [item_added(name="1", metadata=a), item_added(metadata=b)]),
            StreamAppend(cart(1), [item_added(name="2", metadata=a)]),
        ]
    )
    store.append(cart(2), [item_added(name="3", metadata=a)])

    assert [event.data["name"] for event in store.read_correlated("a")] == ["1", "2", "3"]
    assert [event.data["name"] for event in store.read_correlated("a", limit=2)] == ["1", "2"]
    assert list(store.read_correlated("")) == []


def test_children_are_the_events_that_a_message_caused_directly(store):
    parent = item_added()
    child = item_added(metadata={"causation_id": str(parent.event_id)})
    grandchild = item_added(metadata={"causation_id": str(child.event_id)})
    store.append(cart(1), [parent])
    store.append(cart(2), [child])
    store.append(cart(1), [grandchild])

    for message_id in (parent.event_id, str(parent.event_id)):
        assert [event.event_id for event in store.read_caused_by(message_id)] == [child.event_id]
    assert [event.event_id for event in store.read_caused_by(child.event_id, limit=1)] == [
        grandchild.event_id
    ]
    assert list(store.read_caused_by(grandchild.event_id)) == []


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 8])
def test_a_long_conversation_is_read_in_batches(store, monkeypatch, batch_size):
    monkeypatch.setattr(source, "DEFAULT_BATCH_SIZE", batch_size)
    same = {"correlation_id": "a", "causation_id": "b"}
    added = [item_added(metadata=same) for _ in range(7)]
    for event in added:
        store.append(cart(), [event])

    for limit in (None, *range(1, 9)):
        wanted = [event.event_id for event in added[:limit]]
        for found in (
            store.read_correlated("a", limit=limit),
            store.read_caused_by("b", limit=limit),
        ):
            assert [event.event_id for event in found] == wanted


def test_what_comes_later_stands_later_in_the_log(store, log):
    assert all(earlier < later for earlier, later in pairwise(positions(log)))
    assert all(earlier.recorded_at <= later.recorded_at for earlier, later in pairwise(log))
