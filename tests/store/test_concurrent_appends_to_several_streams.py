"""Appends of several processes to several streams at once: all or none, and no deadlock."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import ExitStack
from functools import partial

import pytest
from django.db import transaction

from events.exceptions import ConcurrencyError
from events.store.appending import StreamAppend
from events.streams import ExpectedVersion
from tests.factories import cart, items
from tests.processes import TIMEOUT_SECONDS, eventually, new_barrier, run_at_once, running
from tests.store.sessions import waiting_for_a_lock

WRITERS = 4
ROUNDS = 10


def versions(store, stream):
    return [event.sequence_number for event in store.read_stream(stream)]


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
