"""Any history of appends and reads has the same outcome in a database as in memory."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from events.exceptions import ConcurrencyError, DuplicateEventId, InvalidInput
from events.store.appending import StreamAppend
from events.store.memory import MemoryEventStore
from events.store.orm import OrmEventStore
from events.store.postgresql import PostgresEventStore
from events.streams import ExpectedVersion, StreamName
from tests.factories import item_added, item_removed

STREAMS = [StreamName("Cart", "1"), StreamName("Cart", "2"), StreamName("Order", "1")]
#: As an append may expect it, or relative to the version that the stream has.
EXPECTED = [*ExpectedVersion, "current", "one less", "one more"]

streams = st.sampled_from(STREAMS)
expectations = st.sampled_from(EXPECTED)
event_types = st.sampled_from([None, [], ["tests.ItemAdded"], ["tests.ItemRemoved", "tests.No"]])
bounds = st.fixed_dictionaries(
    {
        "event_types": event_types,
        "backwards": st.booleans(),
        "limit": st.one_of(st.none(), st.integers(1, 5)),
        "batch_size": st.integers(1, 4),
    }
)


class StoreComparison(RuleBasedStateMachine):
    """Does the same to a store in a database and to one in memory, and compares.

    Positions in a database have gaps, so places in the log are compared instead.
    """

    batches = Bundle("batches")

    def __init__(self, store_class):
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.memory = MemoryEventStore()
        self.stores = (self.memory, store_class())
        self.last_id = 0

    def teardown(self):
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    def new_events(self, kinds):
        events = []
        for factory in kinds:
            self.last_id += 1
            events.append(factory(event_id=UUID(int=self.last_id)))
        return events

    kinds = st.lists(st.sampled_from([item_added, item_removed]), min_size=1, max_size=3)

    @rule(target=batches, stream=streams, kinds=kinds, expected=expectations)
    def append(self, stream, kinds, expected):
        batch = stream, self.new_events(kinds)
        self.append_all([(*batch, expected)])
        return batch

    @rule(batch=batches, expected=expectations)
    def append_again(self, batch, expected):
        self.append_all([(*batch, expected)])

    @rule(batch=batches, stream=streams, kinds=st.lists(kinds, max_size=1), expected=expectations)
    def append_with_old_ids(self, batch, stream, kinds, expected):
        events = batch[1] + [event for new in kinds for event in self.new_events(new)]
        self.append_all([(stream, events, expected)])

    @rule(
        old=st.lists(st.tuples(batches, expectations), max_size=2),
        new=st.lists(st.tuples(streams, kinds, expectations), max_size=2),
    )
    def append_to_several(self, old, new):
        appends = [(*batch, expected) for batch, expected in old]
        appends += [(stream, self.new_events(kinds), expected) for stream, kinds, expected in new]
        self.append_all(appends)

    def append_all(self, appends):
        """The same results, or the same refusal, after which the transaction goes on."""
        appends = [
            StreamAppend(stream, events, self.version(stream, expected))
            for stream, events, expected in appends
        ]
        in_memory, in_database = (outcome(store, appends) for store in self.stores)
        assert in_memory == in_database

    def version(self, stream, expected):
        if isinstance(expected, ExpectedVersion):
            return expected
        differences = {"current": 0, "one less": -1, "one more": 1}
        return max(-1, self.memory.stream_version(stream) + differences[expected])

    @rule(
        stream=streams,
        first=st.integers(0, 6),
        last=st.one_of(st.none(), st.integers(0, 6)),
        bounds=bounds,
    )
    def read_stream(self, stream, first, last, bounds):
        in_memory, in_database = (
            described(store.read_stream(stream, from_version=first, to_version=last, **bounds))
            for store in self.stores
        )
        assert in_memory == in_database

    @rule(category=st.sampled_from([None, "Cart"]), bounds=bounds)
    def read_log(self, category, bounds):
        in_memory, in_database = (
            described(store.read_log(category=category, **bounds)) for store in self.stores
        )
        assert in_memory == in_database

    @rule(
        name=st.sampled_from(["$all", "Cart", "Cart-1"]), types=event_types, count=st.integers(1, 4)
    )
    def read_page_by_page(self, name, types, count):
        in_memory, in_database = (pages(store, name, types, count) for store in self.stores)
        assert in_memory == in_database

    @invariant()
    def logs_are_equal_and_streams_have_no_gaps(self):
        in_memory, in_database = (described(store.read_log()) for store in self.stores)
        assert in_memory == in_database
        for stream in STREAMS:
            for store in self.stores:
                versions = [event.sequence_number for event in store.read_stream(stream)]
                assert versions == list(range(store.stream_version(stream) + 1))


def outcome(store, appends):
    try:
        with transaction.atomic():
            results = store.append_to_streams(appends)
    except ConcurrencyError as error:
        return error.stream, error.expected, error.actual
    except (DuplicateEventId, InvalidInput) as error:
        return type(error)
    place = {event.position: place for place, event in enumerate(store.read_log())}
    return [
        (
            result.stream,
            result.version,
            result.replayed,
            [place[position] for position in result.positions],
        )
        for result in results
    ]


def pages(store, name, types, count):
    position, found = 0, []
    while not found or len(found[-1]) == count:
        page = store.read_page(name, position=position, count=count, event_types=types)
        found.append(described(page.events))
        position = page.next_position
    return found


def described(events):
    return [(event.stream, event.sequence_number, event.event_id, event.data) for event in events]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "store_class",
    [
        pytest.param(OrmEventStore, id="orm"),
        pytest.param(PostgresEventStore, id="postgresql", marks=pytest.mark.postgresql),
    ],
)
def test_a_database_and_memory_never_differ(store_class):
    run_state_machine_as_test(
        lambda: StoreComparison(store_class),
        settings=settings(
            max_examples=20,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
