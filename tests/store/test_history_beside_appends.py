"""`append_history` beside other sessions: readers miss nothing, nothing is stored twice."""

from __future__ import annotations

import random
from contextlib import ExitStack
from functools import partial

import pytest
from django.db import transaction

from events.exceptions import DuplicateEventId
from events.signals import events_appended, events_committed
from events.store.appending import StreamAppend
from tests.factories import cart, items, past
from tests.processes import eventually, run_at_once, running
from tests.store.sessions import announcements, waiting_for_a_lock

ROUNDS = 12


def append_past(store_class, numbers, stream=None):
    events = [past(n, stream=stream or cart(n % 7)) for n in numbers]
    return store_class().append_history(events).stored


@pytest.mark.postgresql
def test_readers_stop_before_a_history_in_flight(postgresql_store, elsewhere):
    store = postgresql_store
    store.append(cart("a"), items(1))
    with transaction.atomic(using=elsewhere.using):
        elsewhere.append_history([past(1), past(2)])
        late = store.append(cart("b"), items(1)).positions

        assert announcements() == 1
        assert [event.aggregate_id for event in store.read_log()] == ["cart-a"]

    assert [event.aggregate_id for event in store.read_log()] == [
        "cart-a",
        "cart-1",
        "cart-1",
        "cart-b",
    ]
    assert store.high_water_mark() == max(late)


@pytest.mark.postgresql
def test_a_refused_history_holds_no_reader_back(postgresql_store, elsewhere):
    postgresql_store.append_history([past(1)])
    with transaction.atomic(using=elsewhere.using):
        with pytest.raises(DuplicateEventId):
            elsewhere.append_history([past(1, stream=cart("other")), past(2)])

        assert announcements() == 0
        assert elsewhere.append_history([past(3)]).stored == 1


@pytest.mark.postgresql
def test_a_history_that_waits_for_its_stream_holds_no_reader_back(postgresql_store):
    store = postgresql_store
    with ExitStack() as stack:
        with transaction.atomic():
            store.append(cart(), items(1))
            before = announcements()
            other = stack.enter_context(running(append_past, type(store), [1], cart()))
            eventually(lambda: waiting_for_a_lock() == 1)
            assert announcements() == before
        assert other.result() == 1
    assert [event.sequence_number for event in store.read_stream(cart())] == [0, 1]


def test_the_same_history_by_several_processes_is_stored_once(store, store_class):
    numbers = range(1, 200)

    stored = run_at_once([partial(append_past, store_class, numbers) for _ in range(3)])

    assert sorted(stored) == [0, 0, 199]
    assert [event.event_id.int for event in store.read_log()] == list(numbers)
    assert sum(store.stream_version(cart(n)) + 1 for n in range(7)) == 199


def append_by_chance(store_class, name, base):
    store, chance = store_class(), random.Random(name)
    count = 0
    for number in range(ROUNDS):
        streams = [cart(n) for n in chance.sample(range(6), 4)]
        if chance.random() < 0.5:
            first = base + number * 10
            events = [past(first + n, stream=stream) for n, stream in enumerate(streams)]
            count += store.append_history(events).stored
        else:
            results = store.append_to_streams([StreamAppend(each, items(1)) for each in streams])
            count += len(results)
    return count


def test_histories_and_appends_to_the_same_streams_do_not_deadlock(store, store_class):
    counts = run_at_once(
        [partial(append_by_chance, store_class, f"w{n}", n * 10_000 + 1) for n in range(3)]
    )

    assert counts == [4 * ROUNDS] * 3
    found = list(store.read_log())
    assert len({event.event_id for event in found}) == len(found) == sum(counts)
    for n in range(6):
        numbers = [event.sequence_number for event in store.read_stream(cart(n))]
        assert numbers == list(range(store.stream_version(cart(n)) + 1))


def test_subscribers_hear_of_new_events_as_a_read_gives_them(store):
    store.append_history([past(1)])
    heard, committed = [], []

    def note(events, **kwargs):
        heard.extend(events)

    def note_commit(events, **kwargs):
        committed.extend(events)

    events_appended.connect(note)
    events_committed.connect(note_commit)
    try:
        store.append_history([past(1), past(2), past(3, stream=cart(2))])
    finally:
        events_appended.disconnect(note)
        events_committed.disconnect(note_commit)

    assert heard == committed == list(store.read_log())[1:]


def test_a_receiver_that_raises_undoes_the_history(store):
    def refuse(**kwargs):
        raise ValueError("no")

    events_appended.connect(refuse)
    try:
        with pytest.raises(ValueError, match="no"):
            store.append_history([past(1)])
    finally:
        events_appended.disconnect(refuse)

    assert list(store.read_log()) == []
    assert store.stream_version(cart()) == -1
