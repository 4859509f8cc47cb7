"""A saga is stored as its events: under optimistic locking, with snapshots, and replayed."""

from __future__ import annotations

from uuid import UUID

import pytest

from events.command_bus import command_bus
from events.exceptions import AggregateNotFound, ConcurrencyError
from events.repository import Repository
from sagas import decisions, instance
from sagas.events import SagaStarted, StepRequested
from sagas.exceptions import DefinitionNotFound
from sagas.identity import Direction, message_id_for, saga_id_for
from sagas.inputs import Answered, Handled, Started
from sagas.instance import Saga
from sagas.outgoing import pending_timers, recorded_command, timer_of
from sagas.registry import Definitions
from sagas.state import Status
from tests.factories import MOMENT

from .shop import (
    ORDER,
    PAYMENT,
    IssueTicket,
    LookUpFare,
    SeatHeld,
    TicketIssued,
    booked,
    charged,
    of_order,
)

DO = Direction.DO
TRIP, HASTY = saga_id_for("TestTrip", str(ORDER)), saga_id_for("TestHastyTrip", str(ORDER))


def start(message_id: int = 1) -> Started:
    return Started(message=booked(), message_id=UUID(int=message_id), key=str(ORDER), at=MOMENT)


def handled(step: str) -> Handled:
    return Handled(step=step, direction=DO, attempt=1, at=MOMENT)


def answer(saga_id: str, step: str, event) -> Answered:
    cause = message_id_for(saga_id, step, DO, 1)
    return Answered(event=event, causation_id=str(cause), at=MOMENT)


def take(sagas: Repository[Saga], saga_id: str, *inputs) -> Saga:
    """Each loaded, handled and saved on its own."""
    for given in inputs:
        saga = sagas.find(saga_id) or Saga(saga_id)
        saga.handle(given)
        sagas.save(saga)
    return sagas.load(saga_id)


def test_a_saga_goes_on_where_it_was_saved(sagas):
    saga = take(
        sagas,
        TRIP,
        start(),
        handled("look_up"),
        answer(TRIP, "hold", of_order(SeatHeld)),
        answer(TRIP, "charge", charged()),
    )
    assert saga.status is Status.RUNNING
    assert saga.data.payment_id == PAYMENT
    assert saga.state is not None
    assert saga.state.completed == ("look_up", "hold", "charge")
    ended = take(sagas, TRIP, answer(TRIP, "issue", of_order(TicketIssued)), handled("confirm"))
    assert ended.status is Status.COMPLETED


def test_the_recorded_request_gives_the_command_and_the_timer_back(sagas):
    take(sagas, TRIP, start())
    [started, requested] = [r.event for r in sagas.store.read_stream(Saga(TRIP).stream)]
    assert isinstance(started, SagaStarted)
    assert isinstance(requested, StepRequested)
    assert recorded_command(requested) == LookUpFare(order_id=ORDER)
    timer = timer_of(requested)
    assert timer is not None
    assert (timer.step, timer.attempt, timer.is_retry) == ("look_up", 1, False)
    state = sagas.load(TRIP).state
    assert pending_timers(state) == [timer]
    assert timer_of(started) is None


@pytest.mark.parametrize("inputs", [1, 4, 6])
def test_a_snapshot_at_any_point_gives_the_same_state(sagas, monkeypatch, inputs):
    every = [
        start(),
        handled("look_up"),
        answer(TRIP, "hold", of_order(SeatHeld)),
        answer(TRIP, "charge", charged()),
        answer(TRIP, "issue", of_order(TicketIssued)),
        handled("confirm"),
    ]
    monkeypatch.setattr(Saga, "snapshot_every", 1)
    take(sagas, TRIP, *every[:inputs])
    verification = sagas.verify_snapshot(TRIP)
    assert verification is not None
    assert verification.matches
    assert take(sagas, TRIP, *every[inputs:]).status is Status.COMPLETED


def test_08_of_two_answers_at_once_one_is_decided_again_and_the_join_fires_once(sagas):
    take(sagas, HASTY, start(), handled("look_up"))
    held, paid = (
        answer(HASTY, "hold", of_order(SeatHeld)),
        answer(HASTY, "charge", charged()),
    )
    first, second = sagas.load(HASTY), sagas.load(HASTY)
    first.handle(held)
    second.handle(paid)
    sagas.save(first)
    with pytest.raises(ConcurrencyError):
        sagas.save(second)
    saga = take(sagas, HASTY, paid)
    requests = [
        recorded_command(recorded.event)
        for recorded in sagas.store.read_stream(saga.stream)
        if isinstance(recorded.event, StepRequested)
    ]
    assert requests[3:] == [IssueTicket(order_id=ORDER, payment_id=PAYMENT)]


def test_05_of_two_workers_that_start_it_one_wins_and_the_other_finds_it_started(sagas):
    first, second = Saga(TRIP), Saga(TRIP)
    first.handle(start())
    second.handle(start())
    sagas.save(first)
    with pytest.raises(ConcurrencyError):
        sagas.save(second)
    assert take(sagas, TRIP, start()).version == first.version


def test_21_loading_decides_nothing_and_asks_nobody(sagas, monkeypatch):
    saga = take(sagas, TRIP, start(), handled("look_up"))

    def refuse(*args, **kwargs):
        raise AssertionError("called while loading")

    monkeypatch.setattr(instance, "drafted", refuse)
    monkeypatch.setattr(decisions.draft.Draft, "add", refuse)
    monkeypatch.setattr(type(command_bus), "dispatch", refuse)
    assert sagas.load(TRIP).state == saga.state


def test_a_saga_whose_definition_is_gone_can_still_be_looked_at(sagas, monkeypatch):
    take(sagas, TRIP, start())
    monkeypatch.setattr("sagas.instance.definitions", Definitions())
    saga = sagas.load(TRIP)
    assert saga.status is Status.RUNNING
    with pytest.raises(DefinitionNotFound, match="TestTrip version 1"):
        saga.handle(handled("look_up"))
    assert saga.uncommitted_events == ()


def test_a_saga_that_has_not_started_is_not_found(sagas):
    with pytest.raises(AggregateNotFound):
        sagas.load(TRIP)
    assert Saga(TRIP).status is None
    with pytest.raises(LookupError):
        assert Saga(TRIP).data
