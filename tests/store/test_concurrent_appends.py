"""Appends of several processes and threads to one stream at the same time."""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import pytest
from django.db import connections, transaction

from events.exceptions import ConcurrencyError
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
from tests.store.sessions import waiting_for_a_lock

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


# --- threads ---


def append_in_thread(store, number):
    try:
        return store.append(cart(number % 2), items(5))
    finally:
        connections.close_all()


def check_that_threads_can_share(store, *, appends):
    with ThreadPoolExecutor(WRITERS) as threads:
        results = list(threads.map(partial(append_in_thread, store), range(appends)))

    for number in (0, 1):
        assert versions(store, cart(number)) == list(range(appends * 5 // 2))
    positions = [event.position for event in store.read_log()]
    assert positions == sorted({place for result in results for place in result.positions})
    assert len(positions) == appends * 5


def test_threads_can_share_a_store(store):
    check_that_threads_can_share(store, appends=40)


@pytest.fixture
def restless_threads():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_threads_can_share_a_store_in_memory(restless_threads):
    check_that_threads_can_share(MemoryEventStore(), appends=400)
