"""Workers and writers at the same time: each event has its effects once, in its stream's order."""

from __future__ import annotations

import pytest
from django.db import transaction

from events.delivery.draining import drain
from events.delivery.worker import Worker
from events.models import FailedEvent, Lane
from events.store.configured import event_store
from tests.delivery.workers import handled_by_stream, subscribe_in
from tests.factories import cart, items
from tests.processes import eventually, new_event, running

pytestmark = pytest.mark.django_db(transaction=True)

STREAMS, EVENTS_A_STREAM = 6, 10
ALL_IN_ORDER = {f"cart-{n}": list(range(EVENTS_A_STREAM)) for n in range(STREAMS)}


def write(streams):
    store = event_store()
    for _ in range(EVENTS_A_STREAM):
        for number in streams:
            store.append(cart(number), items(1))


def work_until_told(mode, options, is_done):
    """How many events it has handled, and how many of its turns no handler was to blame for."""
    subscribe_in(mode, **options)
    worker = AttentiveWorker(is_stopping=is_done.is_set)
    worker.run()
    return worker.tally.handled, worker.failed_turns


class AttentiveWorker(Worker):
    failed_turns = 0

    def turn(self):
        try:
            return super().turn()
        except Exception:
            self.failed_turns += 1
            raise


def write_and_work(mode, **options):
    """What the workers tell in the end. They work while two processes write."""
    subscribe_in(mode, **options)
    drain()
    is_done = new_event()
    with (
        running(work_until_told, mode, options, is_done) as first,
        running(work_until_told, mode, options, is_done) as second,
        running(write, range(0, STREAMS, 2)) as writer,
        running(write, range(1, STREAMS, 2)) as other_writer,
    ):
        writer.result()
        other_writer.result()
        eventually(lambda: handled_by_stream() == ALL_IN_ORDER)
        is_done.set()
        return [first.result(), second.result()]


@pytest.mark.parametrize(
    ("mode", "lanes"), [("events", 1), ("batches", 1), ("batches", 4), ("lists", 4)]
)
def test_workers_share_the_lanes_and_nothing_else(mode, lanes):
    told = write_and_work(mode, lanes=lanes)

    assert handled_by_stream() == ALL_IN_ORDER
    assert sum(handled for handled, _ in told) == STREAMS * EVENTS_A_STREAM
    assert not FailedEvent.objects.exists()
    assert not Lane.objects.exclude(token=None).exists()
    # On SQLite: nobody was told that the database is locked.
    assert [failed_turns for _, failed_turns in told] == [0, 0]


@pytest.mark.postgresql
def test_an_append_that_commits_late_is_not_skipped():
    subscribe_in("batches")
    drawn, go = new_event(), new_event()
    with running(append_late, drawn, go) as late:
        assert drawn.wait(20)
        event_store().append(cart(2), items(2))

        assert drain().handled == 0
        go.set()
        late.result()

    assert drain().handled == 3
    assert handled_by_stream() == {"cart-1": [0], "cart-2": [0, 1]}
    assert [*handled_by_stream()] == ["cart-1", "cart-2"]


def append_late(drawn, go):
    with transaction.atomic():
        event_store().append(cart(1), items(1))
        drawn.set()
        go.wait()
