"""Forward: steps one after the other or together, what they learn, the pivot, and the end."""

from __future__ import annotations

from datetime import timedelta

from sagas.events import (
    PivotPassed,
    SagaCompleted,
    StepFailed,
    StepRequested,
    StepRetryScheduled,
    StepSucceeded,
)
from sagas.identity import Direction, message_id_for
from sagas.state import Status
from sagas.step import Compensation
from sagas.testing import (
    MOMENT,
    aborted,
    answered,
    failed,
    given,
    handled,
    refused,
    retry_due,
    started,
    timed_out,
)

from .shop import (
    ORDER,
    PAYMENT,
    CancelTrip,
    CardRefunded,
    ChargeCard,
    ConfirmTrip,
    FreeSeat,
    HastyTrip,
    HoldSeat,
    IssueTicket,
    LookUpFare,
    SeatFreed,
    SeatHeld,
    TicketIssued,
    Trip,
    booked,
    charged,
    effect_key,
    of_order,
    variant,
)

START = started(booked())
HELD = [START, handled("look_up"), answered(of_order(SeatHeld))]
ISSUED = [*HELD, answered(charged()), answered(of_order(TicketIssued))]


def test_the_start_requests_the_first_step_with_its_time_out():
    outcome = given(Trip).when(START).then_requests(LookUpFare(order_id=ORDER))
    request = outcome.events[-1]
    assert isinstance(request, StepRequested)
    assert request.due_at == MOMENT + timedelta(seconds=10)
    assert request.message_id == message_id_for(outcome.saga.id, "look_up", Direction.DO, 1)


def test_a_step_without_a_success_event_succeeds_when_its_handler_returns():
    (
        given(Trip, START)
        .when(handled("look_up"))
        .then_requests(HoldSeat(order_id=ORDER, effect_key=effect_key("hold")))
    )


def test_a_step_with_a_success_event_waits_for_that():
    given(Trip, START, handled("look_up")).when(handled("hold")).then_nothing()


def test_a_later_command_is_made_from_what_an_earlier_answer_told():
    (
        given(Trip, *HELD)
        .when(answered(charged()))
        .then_requests(IssueTicket(order_id=ORDER, payment_id=PAYMENT))
        .then_data(payment_id=PAYMENT)
    )


def test_the_success_of_the_pivot_is_recorded_as_the_point_of_no_return():
    (
        given(Trip, *HELD, answered(charged()))
        .when(answered(of_order(TicketIssued)))
        .then_recorded(StepSucceeded, PivotPassed, StepRequested)
        .then_requests(ConfirmTrip(order_id=ORDER))
    )


def test_the_last_step_completes_the_saga():
    (
        given(Trip, *ISSUED)
        .when(handled("confirm"))
        .then_recorded(StepSucceeded, SagaCompleted)
        .then_status(Status.COMPLETED)
    )


def test_parallel_steps_are_requested_together_and_joined_once():
    outcome = given(HastyTrip, START).when(handled("look_up"))
    assert [type(command) for command in outcome.requests] == [HoldSeat, ChargeCard]
    outcome.when(answered(charged())).then_requests().when(
        answered(of_order(SeatHeld))
    ).then_requests(IssueTicket(order_id=ORDER, payment_id=PAYMENT))


def test_a_failed_attempt_is_made_again_after_a_while_under_the_same_effect_key():
    outcome = given(Trip, START, handled("look_up")).when(failed("hold"))
    outcome.then_requests().then_status(Status.RUNNING)
    assert outcome.saga.state is not None
    assert outcome.saga.state.do["hold"].due_at == MOMENT + timedelta(seconds=5)
    outcome.when(retry_due("hold")).then_requests(
        HoldSeat(order_id=ORDER, effect_key=effect_key("hold"))
    )


def test_attempts_that_are_used_up_turn_the_saga_back_with_the_step_itself():
    """Without an answer, nobody knows that it has had no effect."""
    (
        given(Trip, START, handled("look_up"), timed_out("hold"), retry_due("hold"))
        .when(timed_out("hold"))
        .then_requests(
            FreeSeat(
                order_id=ORDER,
                effect_key=effect_key("hold", Direction.UNDO),
                undoes=effect_key("hold"),
            )
        )
        .then_status(Status.COMPENSATING)
    )


def test_a_retriable_step_goes_on_after_its_attempts_and_calls_an_operator_once():
    tried = given(Trip, *ISSUED, failed("confirm"), retry_due("confirm")).when(failed("confirm"))
    tried.then_needs_intervention("confirm")
    again = tried.when(retry_due("confirm")).then_requests(ConfirmTrip(order_id=ORDER))
    again.when(failed("confirm")).then_recorded(StepFailed, StepRetryScheduled)
    again.when(retry_due("confirm")).when(handled("confirm")).then_status(Status.COMPLETED)


CANCELLED = {"undo_start": Compensation(command=CancelTrip, timeout_seconds=10)}


def test_what_started_the_saga_is_undone_after_all_steps():
    definition = variant(**CANCELLED)
    refunded = [*HELD, aborted(), answered(of_order(CardRefunded))]
    outcome = given(definition, *refunded).when(answered(of_order(SeatFreed)))
    outcome.then_requests(CancelTrip(order_id=ORDER))
    outcome.when(handled("start")).then_status(Status.COMPENSATED)


def test_it_is_undone_also_when_the_first_step_is_rejected():
    outcome = given(variant(**CANCELLED), START).when(refused("look_up"))
    outcome.then_requests(CancelTrip(order_id=ORDER))


def test_a_completed_saga_leaves_its_start_alone():
    ended = given(variant(**CANCELLED), *ISSUED).when(handled("confirm"))
    ended.then_requests().then_status(Status.COMPLETED)
