"""The helpers that ship with the app: how a failure reads, and runs of whole scripts."""

from __future__ import annotations

import pytest

from sagas.events import SagaCompleted
from sagas.exceptions import ActionNotPossible
from sagas.state import Status
from sagas.testing import aborted, answered, given, handled, retried, started
from sagas.testing.simulation import fails, handles, refuses, says, silence, simulate

from .shop import (
    ORDER,
    CardRefunded,
    ChargeCard,
    ConfirmTrip,
    FreeSeat,
    HastyTrip,
    HoldSeat,
    IssueTicket,
    LookUpFare,
    RefundCard,
    SeatFreed,
    SeatHeld,
    TicketIssued,
    TicketRefused,
    Trip,
    VoidTicket,
    booked,
    charged,
    of_order,
)

GOOD = {
    LookUpFare: [handles()],
    HoldSeat: [says(of_order(SeatHeld))],
    ChargeCard: [says(charged())],
    IssueTicket: [says(of_order(TicketIssued))],
    ConfirmTrip: [handles()],
    RefundCard: [says(of_order(CardRefunded))],
    FreeSeat: [says(of_order(SeatFreed))],
    VoidTicket: [handles()],
}


def failure(assertion) -> str:
    with pytest.raises(AssertionError) as caught:
        assertion()
    return str(caught.value)


def test_a_failure_shows_what_was_expected_and_what_came():
    outcome = given(Trip, started(booked())).when(handled("look_up"))
    assert "HoldSeat(" in failure(lambda: outcome.then_requests(LookUpFare(order_id=ORDER)))
    assert "StepSucceeded" in failure(outcome.then_nothing)
    assert "StepSucceeded" in failure(lambda: outcome.then_recorded(SagaCompleted))
    assert "running" in failure(lambda: outcome.then_status(Status.COMPLETED))
    assert "total" in failure(lambda: outcome.then_data(total=1))
    assert "StepSucceeded" in failure(lambda: outcome.then_refused(ActionNotPossible))


def test_an_error_fails_what_expects_none():
    outcome = given(Trip, started(booked())).when(retried("look_up"))
    for assertion in (outcome.then_nothing, outcome.then_requests):
        assert "ActionNotPossible" in failure(assertion)


def test_a_saga_has_to_be_started():
    assert "begin with started" in failure(lambda: given(Trip, handled("look_up")))


def test_an_event_that_nobody_waits_for_is_a_mistake_of_the_test():
    scene = given(Trip, started(booked()))
    assert "is no answer" in failure(lambda: scene.when(answered(booked())))


@pytest.mark.parametrize("definition", [Trip, HastyTrip])
def test_a_script_runs_to_completion(definition):
    run = simulate(definition, started(booked()), GOOD)
    assert run.saga.status is Status.COMPLETED
    assert [request.step for request in run.sent] == [
        *["look_up", "hold", "charge", "issue", "confirm"]
    ]


@pytest.mark.parametrize("definition", [Trip, HastyTrip])
def test_a_script_runs_through_silence_and_failures_to_compensation(definition):
    run = simulate(
        definition,
        started(booked()),
        GOOD
        | {
            ChargeCard: [silence(), says(charged(), times=2)],
            IssueTicket: [says(of_order(TicketRefused), after_seconds=20)],
            RefundCard: [fails(), says(of_order(CardRefunded))],
        },
    )
    assert run.saga.status is Status.COMPENSATED
    attempts = [(request.step, request.attempt) for request in run.sent]
    assert attempts.count(("charge", 2)) == 2  # doing and undoing


def test_operators_act_at_their_time_and_what_is_refused_is_kept():
    run = simulate(
        Trip,
        started(booked()),
        GOOD | {ConfirmTrip: [refuses(), handles(after_seconds=8)]},
        actions=[(1, aborted()), (2, retried("confirm"))],
    )
    assert run.saga.status is Status.COMPLETED
    assert len(run.refused) == 1


def test_a_script_without_end_is_an_error():
    script = GOOD | {ConfirmTrip: [fails()]}
    text = failure(lambda: simulate(Trip, started(booked()), script, max_inputs=50))
    assert text.startswith("No end after 50 inputs")
