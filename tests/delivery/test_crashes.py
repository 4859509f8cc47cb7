"""A worker is killed at each step in turn: nothing is lost, nothing had twice or out of order."""

from __future__ import annotations

from collections import Counter
from time import monotonic

import pytest
from django.db import connection

from events.delivery import worker
from events.models import FailedEvent
from tests.delivery.workers import (
    ALL_ONCE_IN_ORDER,
    BAD,
    STEPS_OF_FAILURE,
    STEPS_OF_SUCCESS,
    append_events,
    close_connection,
    end_process,
    end_session,
    fail_once,
    handled_by_stream,
    is_bad,
    leave_process,
    let_leases_expire,
    subscribe_in,
    take_over,
    work,
    work_until,
)
from tests.effects.models import Effect
from tests.processes import OtherProcess, new_event, running

pytestmark = pytest.mark.django_db(transaction=True)


def kill_at(step, mode, **options):
    reached = new_event()
    with running(work_until, step, reached, mode, options) as victim:
        assert reached.wait(20)
        assert victim.is_running
        victim.kill()


@pytest.mark.parametrize("mode", ["events", "batches", "lists"])
@pytest.mark.parametrize("step", STEPS_OF_SUCCESS)
def test_effects_in_the_database_are_had_once(step, mode):
    append_events()
    kill_at(step, mode)
    assert handled_by_stream() != ALL_ONCE_IN_ORDER

    subscribe_in(mode)
    take_over()

    assert handled_by_stream() == ALL_ONCE_IN_ORDER
    assert not FailedEvent.objects.exists()


@pytest.mark.parametrize("mode", ["events", "batches"])
@pytest.mark.parametrize("step", STEPS_OF_FAILURE)
def test_they_are_had_once_if_failures_are_cut_short(step, mode):
    append_events()
    kill_at(step, mode, handler=fail_once)

    subscribe_in(mode, handler=fail_once)
    take_over()

    assert handled_by_stream() == ALL_ONCE_IN_ORDER
    assert not FailedEvent.objects.exists()


@pytest.mark.parametrize("step", STEPS_OF_SUCCESS)
def test_effects_elsewhere_are_had_at_least_once_and_known_by_their_key(step):
    append_events()
    kill_at(step, "external")

    subscribe_in("external")
    take_over()

    by_key = Counter(Effect.objects.values_list("note", flat=True))
    assert len(by_key) == sum(map(len, ALL_ONCE_IN_ORDER.values()))
    repeated = {"effects written", "checkpoint written"}
    assert sorted(by_key.values(), reverse=True)[:2] == [2 if step in repeated else 1, 1]
    for numbers in handled_by_stream().values():
        assert sorted(numbers) == numbers


# --- an event that kills whoever handles it ---


def let_it_kill(mode, **options):
    """Workers, until one survives. How many didn't."""
    for deaths in range(20):
        try:
            OtherProcess(work, mode, options).result()
        except (EOFError, AssertionError):  # it was ended, or has ended itself
            if connection.vendor != "postgresql":
                let_leases_expire()
        else:
            return deaths
    raise AssertionError("it kills worker after worker")


def check_that_it_alone_is_a_dead_letter():
    row = FailedEvent.objects.get()
    assert ((row.aggregate_id, row.sequence_number), row.status, row.attempts) == (BAD, "dead", 3)
    stream, number = BAD
    assert handled_by_stream() == ALL_ONCE_IN_ORDER | {stream: list(range(number))}


@pytest.mark.parametrize("handler", [end_process, leave_process])
@pytest.mark.parametrize("mode", ["events", "batches", "external"])
def test_an_event_that_ends_its_process_becomes_a_dead_letter(mode, handler):
    append_events()

    deaths = let_it_kill(mode, handler=handler)

    assert deaths == (4 if mode == "batches" else 3)
    if mode == "external":  # its effects stay
        Effect.objects.filter(aggregate_id=BAD[0], sequence_number=BAD[1]).delete()
    check_that_it_alone_is_a_dead_letter()


def test_it_does_so_behind_events_that_are_passed_over():
    append_events()

    # One more where the worker that died first had not looked ahead: it had begun a whole batch.
    assert let_it_kill("batches", handler=end_process, filter=is_bad) in {3, 4}

    row = FailedEvent.objects.get()
    assert ((row.aggregate_id, row.sequence_number), row.status, row.attempts) == (BAD, "dead", 3)


@pytest.mark.parametrize(
    "handler", [close_connection, pytest.param(end_session, marks=pytest.mark.postgresql)]
)
@pytest.mark.parametrize("mode", ["events", "batches"])
def test_an_event_that_costs_the_connection_becomes_a_dead_letter(mode, handler, monkeypatch):
    monkeypatch.setattr(worker, "RECONNECT_SECONDS", 0)
    monkeypatch.setattr(worker, "UNABLE_SECONDS", 0)
    append_events()
    subscribe_in(mode, handler=handler)

    end = monotonic() + 20
    worker.Worker(is_stopping=lambda: monotonic() > end).run(idle_seconds=1)

    check_that_it_alone_is_a_dead_letter()
