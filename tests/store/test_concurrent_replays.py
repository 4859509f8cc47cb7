"""Several processes that append the same events at the same time."""

from __future__ import annotations

from collections import Counter
from functools import partial
from uuid import UUID

import pytest

from events.exceptions import DuplicateEventId
from events.streams import ExpectedVersion
from tests.factories import cart, item_added, items
from tests.processes import TIMEOUT_SECONDS, new_barrier, run_at_once

WRITERS = 4
ROUNDS = 10


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
