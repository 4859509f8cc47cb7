"""Appends of several processes and threads at the same time, on each database and each store."""

from __future__ import annotations

import random
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from uuid import UUID

import pytest
from django.db import connection, connections, transaction

from events.exceptions import ConcurrencyError, DuplicateEventId
from events.store.appending import StreamAppend
from events.store.memory import MemoryEventStore
from events.streams import ExpectedVersion
from tests.factories import cart, item_added, items
from tests.processes import (
    TIMEOUT_SECONDS,
    eventually,
    new_barrier,
    new_event,
    run_at_once,
    running,
)

WRITERS = 4
ROUNDS = 10


def versions(store, stream):
    return [event.sequence_number for event in store.read_stream(stream)]


# --- expected versions ---


def race_for_each_version(store_class, barrier, writer):
    """What became of this writer's append at each version, all writers being at the same one."""
    store, outcomes = store_class(), []
    for version in range(ROUNDS):
        barrier.wait(TIMEOUT_SECONDS)
        try:
            event = item_added(name=f"writer {writer}")
            store.append(cart(), [event], expected_version=version - 1)
            outcomes.append("won")
        except ConcurrencyError as error:
            outcomes.append((error.expected, error.actual))
    return outcomes


def test_of_writers_who_expect_the_same_version_exactly_one_wins(store_class, store):
    barrier = new_barrier(WRITERS)
    outcomes = run_at_once(
        [partial(race_for_each_version, store_class, barrier, writer) for writer in range(WRITERS)]
    )

    for version, of_version in enumerate(zip(*outcomes, strict=True)):
        expected = "NO_STREAM" if version == 0 else version - 1
        assert Counter(of_version) == {"won": 1, (expected, version): WRITERS - 1}
        winner = f"writer {of_version.index('won')}"
        (event,) = store.read_stream(cart(), from_version=version, to_version=version)
        assert event.data["name"] == winner
    assert versions(store, cart()) == list(range(ROUNDS))
    assert store.stream_version(cart()) == ROUNDS - 1


@pytest.mark.parametrize("ending", ["committed", "rolled back"])
def test_an_append_waits_for_the_one_that_decides_about_its_version(store_class, store, ending):
    starting = new_event()
    with ExitStack() as processes:
        with transaction.atomic():
            store.append(cart(), items(1))
            late = processes.enter_context(running(append_first, store_class, starting))
            assert starting.wait(TIMEOUT_SECONDS)
            assert late.is_running
            transaction.set_rollback(ending == "rolled back")

        assert late.result() == ("conflict at 0" if ending == "committed" else "stored")
    assert versions(store, cart()) == [0]


def append_first(store_class, starting):
    starting.set()
    try:
        store_class().append(cart(), items(1), expected_version=ExpectedVersion.NO_STREAM)
    except ConcurrencyError as error:
        return f"conflict at {error.actual}"
    return "stored"


# --- any version ---


def append_in_turn(store_class, writer):
    store = store_class()
    return [
        store.append(cart(), [item_added(name=f"{writer}") for _ in range(1 + number % 2)])
        for number in range(ROUNDS)
    ]


def test_appends_to_any_version_queue_and_none_fails(store_class, store):
    results = run_at_once(
        [partial(append_in_turn, store_class, writer) for writer in range(WRITERS)]
    )

    stored = list(store.read_stream(cart()))
    assert versions(store, cart()) == list(range(WRITERS * ROUNDS * 3 // 2))
    assert store.stream_version(cart()) == len(stored) - 1
    assert [event.position for event in stored] == sorted(event.position for event in stored)
    for writer, of_writer in enumerate(results):
        places = [place for result in of_writer for place in result.positions]
        assert places == [event.position for event in stored if event.data["name"] == f"{writer}"]
        assert [result.version for result in of_writer] == [
            store_version(stored, result) for result in of_writer
        ]


def store_version(stored, result):
    return next(e.sequence_number for e in stored if e.position == result.positions[-1])


@pytest.mark.postgresql
def test_what_waited_for_its_stream_is_not_recorded_before_what_it_waited_for(store_class, store):
    with ExitStack() as processes:
        with transaction.atomic():
            store.append(cart(), items(1))
            waiting = processes.enter_context(running(append_in_turn, store_class, 0))
            eventually(lambda: waiting_for_a_lock() == 1)
            store.append(cart(), items(1))
        waiting.result()

    recorded = [event.recorded_at for event in store.read_stream(cart())]
    assert recorded == sorted(recorded)


# --- the same event ids ---


def append_the_same(store_class, barrier, expected, existing):
    store, outcomes = store_class(), []
    for number in range(ROUNDS):
        stream = cart(number)
        events = [item_added(event_id=UUID(int=1000 * number + part)) for part in (1, 2)]
        if barrier.wait(TIMEOUT_SECONDS) == 0 and existing:
            store.append(stream, items(existing))
        barrier.wait(TIMEOUT_SECONDS)
        outcomes.append(store.append(stream, events, expected_version=expected))
    return outcomes


@pytest.mark.parametrize(
    ("expected", "existing"),
    [
        (ExpectedVersion.ANY, 0),
        (ExpectedVersion.ANY, 3),
        (ExpectedVersion.NO_STREAM, 0),
        (ExpectedVersion.STREAM_EXISTS, 3),
        (2, 3),
    ],
)
def test_the_same_events_appended_at_once_are_stored_once(store_class, store, expected, existing):
    barrier = new_barrier(WRITERS)
    outcomes = run_at_once(
        [partial(append_the_same, store_class, barrier, expected, existing)] * WRITERS
    )

    for number, of_stream in enumerate(zip(*outcomes, strict=True)):
        assert Counter(result.replayed for result in of_stream) == {False: 1, True: WRITERS - 1}
        stored = list(store.read_stream(cart(number), from_version=existing))
        assert {
            (result.stream, result.version, result.positions, result.recorded_at)
            for result in of_stream
        } == {
            (
                cart(number),
                existing + 1,
                tuple(event.position for event in stored),
                stored[0].recorded_at,
            )
        }
        assert [event.event_id.int for event in stored] == [1000 * number + 1, 1000 * number + 2]


def append_the_same_elsewhere(store_class, barrier, writer):
    store, outcomes = store_class(), []
    for number in range(ROUNDS):
        barrier.wait(TIMEOUT_SECONDS)
        try:
            store.append(cart(f"{writer}-{number}"), [item_added(event_id=UUID(int=number + 1))])
            outcomes.append("stored")
        except DuplicateEventId as error:
            outcomes.append(str(error.stream))
    return outcomes


def test_the_same_event_id_in_several_streams_at_once_is_stored_in_one(store_class, store):
    barrier = new_barrier(WRITERS)
    outcomes = run_at_once(
        [
            partial(append_the_same_elsewhere, store_class, barrier, writer)
            for writer in range(WRITERS)
        ]
    )

    for number, of_event in enumerate(zip(*outcomes, strict=True)):
        winner = of_event.index("stored")
        assert list(of_event) == [
            "stored" if writer == winner else str(cart(f"{writer}-{number}"))
            for writer in range(WRITERS)
        ]
        assert [store.stream_version(cart(f"{w}-{number}")) for w in range(WRITERS)] == [
            0 if writer == winner else -1 for writer in range(WRITERS)
        ]
    assert len(list(store.read_log())) == ROUNDS


# --- several streams ---


def append_to_several_in_another_order(store_class, barrier, writer):
    store, shuffle = store_class(), random.Random(writer).shuffle
    for number in range(ROUNDS):
        streams = [cart(f"{number}-{name}") for name in range(4)] + [cart(name) for name in "abcd"]
        shuffle(streams)
        barrier.wait(TIMEOUT_SECONDS)
        store.append_to_streams([StreamAppend(stream, items(2)) for stream in streams])


def test_appends_to_several_streams_in_any_order_do_not_lock_each_other_up(store_class, store):
    """Half of the streams are new in each round, half of them exist."""
    barrier = new_barrier(WRITERS)
    run_at_once(
        [
            partial(append_to_several_in_another_order, store_class, barrier, writer)
            for writer in range(WRITERS)
        ]
    )

    for name in "abcd":
        assert versions(store, cart(name)) == list(range(WRITERS * ROUNDS * 2))
    for number in range(ROUNDS):
        for name in range(4):
            assert versions(store, cart(f"{number}-{name}")) == list(range(WRITERS * 2))


def append_together(store_class, names):
    return store_class().append_to_streams([StreamAppend(cart(name), items(1)) for name in names])


def waiting_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


@pytest.mark.postgresql
@pytest.mark.parametrize("streams", ["new", "old"])
@pytest.mark.parametrize("ending", ["committed", "rolled back"])
def test_appends_in_opposite_orders_that_met_at_a_third_one_both_end(
    store_class, store, streams, ending
):
    """Each would hold its first stream and wait for the one in the middle, then for the other's."""
    if streams == "old":
        append_together(store_class, "amz")
    with ExitStack() as processes:
        with transaction.atomic():
            store.append(cart("m"), items(1))
            appends = [
                processes.enter_context(running(append_together, store_class, names))
                for names in ("amz", "zma")
            ]
            eventually(lambda: waiting_for_a_lock() == 2)
            transaction.set_rollback(ending == "rolled back")

        first, second = (append.result() for append in appends)

    existing = streams == "old"
    assert {first[0].version, second[2].version} == {existing, existing + 1}
    for name in "az":
        assert versions(store, cart(name)) == list(range(existing + 2))
    assert versions(store, cart("m")) == list(range(existing + 2 + (ending == "committed")))


def append_to_one_or_two(store_class, barrier, writer):
    """Single appends meet appends to two streams of which one is expected to be new."""
    store, outcomes = store_class(), []
    for number in range(ROUNDS):
        barrier.wait(TIMEOUT_SECONDS)
        first, second = cart(f"{number}-1"), cart(f"{number}-2")
        together = [
            StreamAppend(first, items(1), ExpectedVersion.NO_STREAM),
            StreamAppend(second, items(1)),
        ]
        try:
            if writer % 2:
                store.append_to_streams(together[:: 1 if writer % 4 == 1 else -1])
            else:
                store.append(first, items(1), expected_version=ExpectedVersion.NO_STREAM)
            outcomes.append("two" if writer % 2 else "one")
        except ConcurrencyError as error:
            outcomes.append((error.stream, error.actual))
    return outcomes


def test_an_append_to_two_streams_is_stored_in_both_or_in_none(store_class, store):
    barrier = new_barrier(WRITERS)
    outcomes = run_at_once(
        [partial(append_to_one_or_two, store_class, barrier, writer) for writer in range(WRITERS)]
    )

    for number, of_round in enumerate(zip(*outcomes, strict=True)):
        first, second = cart(f"{number}-1"), cart(f"{number}-2")
        assert Counter(of_round)[first, 0] == WRITERS - 1
        assert versions(store, first) == [0]
        assert versions(store, second) == ([0] if "two" in of_round else [])
        assert store.stream_version(second) == len(versions(store, second)) - 1


# --- threads ---


def append_in_thread(store, number):
    try:
        return store.append(cart(number % 2), items(1 + number % 2))
    finally:
        connections.close_all()


@pytest.fixture
def restless_threads():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def check_that_threads_can_share(store):
    with ThreadPoolExecutor(WRITERS) as threads:
        results = list(threads.map(partial(append_in_thread, store), range(40)))

    assert versions(store, cart(0)) == list(range(20))
    assert versions(store, cart(1)) == list(range(40))
    positions = sorted(position for result in results for position in result.positions)
    assert [event.position for event in store.read_log()] == positions
    assert len(set(positions)) == 60


def test_threads_can_share_a_store(store):
    check_that_threads_can_share(store)


def test_threads_can_share_a_store_in_memory(restless_threads):
    check_that_threads_can_share(MemoryEventStore())
