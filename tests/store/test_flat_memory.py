"""Reading the log takes no more memory than a few batches, however long it is."""

from __future__ import annotations

import gc

from events.recorded_event import RecordedEvent
from tests.factories import cart, items

LENGTH = 10_000
BATCH_SIZE = 500
# No divisor of the size of a batch: each count is made at another place of one.
EVENTS_BETWEEN_COUNTS = 1_303


def events_in_memory():
    return sum(type(thing) is RecordedEvent for thing in gc.get_objects())


def test_iteration_holds_two_batches_at_most(store):
    store.append(cart(), items(LENGTH))
    gc.collect()
    others = events_in_memory()

    for backwards in (False, True):
        found = most = 0
        for _ in store.read_log(batch_size=BATCH_SIZE, backwards=backwards):
            if found % EVENTS_BETWEEN_COUNTS == 0:
                most = max(most, events_in_memory() - others)
            found += 1

        assert found == LENGTH
        assert BATCH_SIZE <= most <= 2 * BATCH_SIZE
