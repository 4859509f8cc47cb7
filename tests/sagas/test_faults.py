"""What goes wrong between a saga and those whom it asks, by the numbers of a list of 33 faults.

| fault | here |
|---|---|
| 5 start delivered twice | test_05_... ; two workers: test_stored_sagas.py |
| 6 duplicate answer | test_06_... |
| 7 answer to an older attempt | test_07_... (six) |
| 8 two answers at once | test_stored_sagas.py, test_08_... ; the join: test_running_to_the_end.py |
| 9 answer before its request, or before the start | test_09_... (four) |
| 10 answer while the step is being undone | test_10_... (seven) |
| 11 success after the end | test_11_... (six) |
| 12 time-out and answer race | test_12_... (three) |
| 13 undo arrives before do | test_13_...; to refuse the do is up to the recipient |
| 14 outcome unknown | test_14_... (four) |
| 15 retry pending while a sibling fails | test_15_... (two) |
| 16 undo fails for a while | test_16_... (three) |
| 17 undo fails for good | test_17_... (six) |
| 20 poison | test_20_... |
| 21 replay | test_any_schedule.py; test_stored_sagas.py |
| 22, 23 newer code | test_definition_versions.py |
| 24 clocks | test_24_... (two) |
| 26, 27 operators | test_operators.py |
| 28 failure after the pivot | test_28_... (three) |
| 31 deduplication elsewhere forgets | test_06_... and test_07_...: nothing here rests on it |
| 32 key used again | test_32_... |

1, 2, 3, 4, 18, 19 and 25 are of the way that commands and inputs travel: test_runtime_faults.py,
which has some of these once more, with workers and processes. 33 is of choreographed sagas. Sagas
neither lock aggregates (29) nor have children (30).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sagas.events import (
    AnswerSetAside,
    CompensationFailed,
    CompensationPlanned,
    CompensationRequested,
    CompensationRetryScheduled,
    CompensationSucceeded,
    InterventionRequested,
    SagaCompensated,
    StepRejected,
    StepRequested,
    StepRetryScheduled,
)
from sagas.exceptions import SagaAlreadyStarted, SagaIsBlocked, SagaNotStarted, TimerNotDue
from sagas.identity import Direction
from sagas.inputs import Failed, Handled, RetryDue, TimedOut
from sagas.state import Status
from sagas.step import Compensation, LateSuccess
from sagas.testing import (
    MOMENT,
    aborted,
    after,
    answered,
    blocked,
    failed,
    given,
    handled,
    refused,
    released,
    retry_due,
    skipped,
    started,
    timed_out,
)

from .shop import (
    CHARGE,
    CONFIRM,
    HOLD,
    ISSUE,
    ORDER,
    PAYMENT,
    CardDeclined,
    CardRefunded,
    ConfirmTrip,
    FreeSeat,
    HastyTrip,
    IssueTicket,
    RefundCard,
    RefundImpossible,
    SeatFreed,
    SeatHeld,
    SeatSoldOut,
    TicketIssued,
    TicketRefused,
    Trip,
    booked,
    charged,
    effect_key,
    of_order,
    variant,
)

DO, UNDO = Direction.DO, Direction.UNDO
START = started(booked())
HELD = [START, handled("look_up"), answered(of_order(SeatHeld))]
CHARGED = [*HELD, answered(charged())]
ISSUED = [*CHARGED, answered(of_order(TicketIssued))]
FREE = FreeSeat(order_id=ORDER, effect_key=effect_key("hold", UNDO), undoes=effect_key("hold"))
REFUND = RefundCard(order_id=ORDER, payment_id=PAYMENT, undoes=effect_key("charge"))
REFUND_OF_THE_UNKNOWN = RefundCard(order_id=ORDER, payment_id=None, undoes=effect_key("charge"))
LOST = [*HELD, timed_out("charge"), retry_due("charge"), timed_out("charge")]
"""The charge is undone without an answer."""
UNDONE = [*LOST, answered(of_order(CardRefunded)), answered(of_order(SeatFreed))]


# --- 5 to 9: starts and answers, twice, late and early ---


def test_05_the_same_start_again_changes_nothing():
    start = started(booked())
    given(Trip, start).when(start).then_nothing()


def test_06_a_duplicate_answer_changes_nothing_even_under_another_id():
    held = given(Trip, *HELD)
    held.when(answered(of_order(SeatHeld))).then_nothing()
    held.when(answered(of_order(SeatHeld), attempt=1)).then_nothing()


def test_06_a_duplicate_rejection_changes_nothing():
    sold_out = answered(of_order(SeatSoldOut))
    given(Trip, START, handled("look_up"), sold_out).when(sold_out).then_nothing()


def test_07_success_of_an_older_attempt_settles_the_step():
    retried = given(Trip, *HELD, timed_out("charge"), retry_due("charge"))
    retried.when(answered(charged(), attempt=1)).then_requests(
        IssueTicket(order_id=ORDER, payment_id=PAYMENT)
    )
    retried.when(answered(charged(), attempt=2)).then_nothing()


def test_07_success_while_the_next_attempt_is_waiting_for_its_time_settles_the_step():
    waiting = given(Trip, *HELD, timed_out("charge")).when(answered(charged(), attempt=1))
    waiting.then_requests(IssueTicket(order_id=ORDER, payment_id=PAYMENT))
    waiting.when(retry_due("charge")).then_nothing()


def test_07_rejection_of_an_older_attempt_is_recorded_and_ignored():
    declined = answered(of_order(CardDeclined), attempt=1)
    outcome = given(Trip, *HELD, timed_out("charge"), retry_due("charge")).when(declined)
    outcome.then_recorded(AnswerSetAside).then_status(Status.RUNNING)
    outcome.when(declined).then_nothing()


def test_07_a_failure_of_an_older_attempt_is_ignored():
    stale = Failed(step="charge", direction=DO, attempt=1, at=MOMENT, reason="late")
    given(Trip, *HELD, timed_out("charge"), retry_due("charge")).when(
        lambda _: stale
    ).then_nothing()


def test_07_the_same_rejection_again_is_not_taken_for_one_of_the_next_attempt():
    """Where the cause is lost, the id of the event tells."""
    stubborn = variant(hold=replace(HOLD, retriable=True, reply_key="order_id"))
    no = answered(of_order(SeatSoldOut), caused=False)
    tried = given(stubborn, START, handled("look_up"), no, retry_due("hold"))
    tried.when(no).then_nothing()


def test_07_a_rejection_leaves_the_time_of_a_retry_that_has_to_be_made_anyway():
    stubborn = variant(hold=replace(HOLD, retriable=True))
    waiting = given(stubborn, START, handled("look_up")).when(failed("hold"))
    waiting.when(answered(of_order(SeatSoldOut), attempt=1)).then_recorded(AnswerSetAside)
    waiting.when(retry_due("hold")).then_status(Status.RUNNING).then_recorded(StepRequested)


def test_09_an_answer_before_the_start_is_given_back():
    answer = answered(charged(), caused=False)
    given(Trip).when(answer).then_refused(SagaNotStarted)


def test_09_an_early_success_is_kept_and_its_step_is_not_asked_for():
    early = answered(charged(), caused=False)
    outcome = given(Trip, START).when(early).then_recorded(AnswerSetAside)
    outcome.when(early).then_nothing()
    outcome.when(handled("look_up"))
    outcome.when(answered(of_order(SeatHeld))).then_requests(
        IssueTicket(order_id=ORDER, payment_id=PAYMENT)
    )


def test_09_the_effect_of_an_early_success_is_undone_with_the_others():
    outcome = given(Trip, START, answered(charged(), caused=False), handled("look_up")).when(
        answered(of_order(SeatSoldOut))
    )
    outcome.then_requests(REFUND)


def test_09_an_early_rejection_is_recorded_and_the_step_is_asked_for_all_the_same():
    early = answered(of_order(CardDeclined), caused=False)
    outcome = given(Trip, START, handled("look_up")).when(early).then_recorded(AnswerSetAside)
    outcome.when(early).then_nothing()
    outcome.when(answered(of_order(SeatHeld)))
    outcome.when(answered(charged())).then_status(Status.RUNNING)


# --- 10 to 15: what is not known ---


def test_10_success_while_the_undo_is_under_way_is_recorded():
    late = answered(charged(), attempt=1)
    outcome = given(Trip, *LOST).when(late).then_recorded(AnswerSetAside)
    outcome.then_status(Status.COMPENSATING).then_data(payment_id=PAYMENT)
    outcome.when(late).then_nothing()


def test_10_success_after_the_undo_is_undone_again_under_the_same_key():
    outcome = given(Trip, *LOST, answered(of_order(CardRefunded))).when(
        answered(charged(), attempt=2)
    )
    outcome.then_requests(REFUND)
    [request] = [each for each in outcome.events if isinstance(each, CompensationRequested)]
    assert (request.attempt, request.effect_key) == (2, effect_key("charge", UNDO))


def test_10_an_answer_to_the_first_undo_does_not_count_for_the_second():
    again = [*LOST, answered(of_order(CardRefunded)), answered(charged(), attempt=2)]
    scene = given(Trip, *again)
    scene.when(answered(of_order(CardRefunded), attempt=1)).then_nothing()
    scene.when(answered(of_order(CardRefunded), attempt=2)).then_recorded(CompensationSucceeded)


def test_10_a_late_rejection_spares_an_undo_whose_turn_has_not_come():
    """The card was charged early, so it is refunded first; the seat is sold out meanwhile."""
    early = [START, answered(charged(), caused=False), handled("look_up")]
    lost = [timed_out("hold"), retry_due("hold"), timed_out("hold")]
    turned = given(Trip, *early, *lost)
    turned.when(answered(of_order(SeatSoldOut), attempt=2)).then_recorded(AnswerSetAside)
    turned.when(answered(of_order(SeatSoldOut), attempt=1)).then_recorded(AnswerSetAside)
    turned.when(answered(of_order(CardRefunded))).then_requests().then_status(Status.COMPENSATED)


def test_10_a_rejection_of_all_attempts_leaves_nothing_to_undo():
    """Both are asked; the seat is sold out, and so the saga turns back, before the card is."""
    outcome = given(HastyTrip, START, handled("look_up"), answered(of_order(SeatSoldOut))).when(
        answered(of_order(CardDeclined))
    )
    outcome.then_recorded(AnswerSetAside)
    outcome.when(answered(of_order(CardRefunded))).then_status(Status.COMPENSATED)


def test_10_success_after_a_rejection_is_undone_although_it_should_not_be():
    contradiction = answered(charged(), attempt=1)
    turned = given(Trip, *HELD, answered(of_order(CardDeclined)))
    outcome = turned.when(contradiction).then_recorded(
        AnswerSetAside, CompensationPlanned, CompensationRequested
    )
    outcome.then_requests(REFUND)
    outcome.when(contradiction).then_nothing()


def test_10_success_of_a_step_that_was_never_asked_for_is_undone():
    turned = given(Trip, START, handled("look_up"), answered(of_order(SeatSoldOut)))
    turned.when(answered(charged(), caused=False)).then_requests(REFUND)


def test_11_success_after_the_end_reopens_the_saga_for_its_undo_alone():
    outcome = given(Trip, *UNDONE).when(answered(charged(), attempt=1))
    outcome.then_requests(REFUND).then_status(Status.COMPENSATING)
    ended = outcome.when(answered(of_order(CardRefunded))).then_status(Status.COMPENSATED)
    assert ended.events[-1] == SagaCompensated(late_effects=["charge"])


def test_11_the_same_late_success_again_is_not_undone_again():
    late = answered(charged(), attempt=1)
    outcome = given(Trip, *UNDONE, late, answered(of_order(CardRefunded))).when(late)
    outcome.then_nothing().then_status(Status.COMPENSATED)


def test_11_a_step_may_have_its_late_success_recorded_only():
    definition = variant(charge=replace(CHARGE, late_success=LateSuccess.RECORD))
    outcome = given(definition, *UNDONE).when(answered(charged(), attempt=1))
    outcome.then_recorded(AnswerSetAside).then_status(Status.COMPENSATED)


def test_11_a_step_may_leave_its_late_success_to_an_operator():
    definition = variant(charge=replace(CHARGE, late_success=LateSuccess.INTERVENE))
    outcome = given(definition, *UNDONE).when(answered(charged(), attempt=1))
    outcome.then_requests().then_needs_intervention("charge")
    outcome.when(skipped("charge", "refunded in the shop")).then_status(Status.COMPENSATED)


def test_11_late_success_of_a_step_without_effect_is_only_recorded():
    late = Handled(step="look_up", direction=DO, attempt=1, at=MOMENT)
    ended = given(Trip, START).when(aborted()).then_status(Status.COMPENSATED)
    ended.when(lambda _: late).then_recorded(AnswerSetAside).then_status(Status.COMPENSATED)


def test_11_late_success_of_a_step_without_undo_is_left_to_an_operator():
    no_undo = variant(hold=replace(HOLD, compensation=None))
    lost = [START, handled("look_up"), timed_out("hold"), retry_due("hold"), timed_out("hold")]
    ended = given(no_undo, *lost).when(skipped("hold")).then_status(Status.COMPENSATED)
    ended.when(answered(of_order(SeatHeld), attempt=1)).then_needs_intervention("hold")


def test_12_a_retry_of_an_older_attempt_changes_nothing():
    def stale(scene):
        return RetryDue(step="hold", direction=DO, attempt=2, at=scene.now + timedelta(days=1))

    definition = variant(hold=replace(HOLD, retriable=True))
    tried = [START, handled("look_up"), failed("hold"), retry_due("hold"), failed("hold")]
    given(definition, *tried).when(stale).then_nothing()


def test_12_a_time_out_after_the_answer_changes_nothing():
    def stale(scene):
        at = MOMENT + timedelta(days=1)
        return TimedOut(step="hold", direction=DO, attempt=1, at=at)

    given(Trip, *HELD).when(stale).then_nothing()


def test_12_a_time_out_of_an_older_attempt_changes_nothing():
    def stale(scene):
        return TimedOut(step="charge", direction=DO, attempt=1, at=scene.now + timedelta(days=1))

    given(Trip, *HELD, timed_out("charge"), retry_due("charge")).when(stale).then_nothing()


def test_13_an_undo_names_the_effect_that_it_undoes_whether_that_has_arrived_or_not():
    outcome = given(Trip, *LOST).when(answered(of_order(CardRefunded)))
    outcome.then_requests(FREE)


def test_14_a_failure_is_no_rejection_its_step_is_undone_too():
    tried = [*HELD, failed("charge"), retry_due("charge")]
    outcome = given(Trip, *tried).when(failed("charge", "connection reset"))
    outcome.then_requests(REFUND_OF_THE_UNKNOWN)
    assert (
        CompensationPlanned(steps=["charge", "hold"], reason="charge failed: connection reset")
        in outcome.events
    )


def test_14_a_rejection_leaves_nothing_of_its_step_to_undo():
    for declined in (answered(of_order(CardDeclined)), refused("charge", "declined")):
        given(Trip, *HELD).when(declined).then_requests(FREE)


def test_14_a_rejection_of_the_attempt_that_failed_spares_the_next_one():
    waiting = given(Trip, *HELD, failed("charge"))
    waiting.when(answered(of_order(CardDeclined), attempt=1)).then_requests(FREE)
    waiting.when(retry_due("charge")).then_nothing()


def test_14_a_rejection_after_an_attempt_without_answer_is_undone_nevertheless():
    """The first attempt may still be on its way."""
    unclear = [*HELD, timed_out("charge"), retry_due("charge")]
    given(Trip, *unclear).when(answered(of_order(CardDeclined))).then_requests(
        REFUND_OF_THE_UNKNOWN
    )


def test_15_a_retry_that_waits_while_a_sibling_is_rejected_is_not_made():
    def due(scene):
        at = scene.now + timedelta(days=1)
        return RetryDue(step="charge", direction=DO, attempt=2, at=at)

    turned = given(HastyTrip, START, handled("look_up"), failed("charge")).when(
        answered(of_order(SeatSoldOut))
    )
    turned.when(due).then_nothing()


def test_15_a_command_that_is_not_sent_yet_is_not_wanted_any_more():
    asked = given(HastyTrip, START).when(handled("look_up"))
    assert asked.saga.state is not None
    assert asked.saga.state.wants("charge", DO, 1)
    turned = asked.when(answered(of_order(SeatSoldOut)))
    assert turned.saga.state is not None
    assert not turned.saga.state.wants("charge", DO, 1)
    assert turned.saga.state.wants("charge", UNDO, 1)


# --- 16 and 17: undos that fail ---

DECLINED_TICKET = [*CHARGED, answered(of_order(TicketRefused))]


def test_16_an_undo_that_fails_is_tried_again_and_says_when():
    outcome = given(Trip, *DECLINED_TICKET).when(failed("charge", "no connection"))
    outcome.then(
        CompensationRetryScheduled(
            step="charge",
            attempt=2,
            reason="no connection",
            due_at=MOMENT + timedelta(seconds=5),
        )
    ).then_status(Status.COMPENSATING)
    outcome.when(retry_due("charge")).then_requests(REFUND)


def test_16_an_undo_that_times_out_is_tried_again_too():
    outcome = given(Trip, *DECLINED_TICKET).when(timed_out("charge"))
    outcome.then_recorded(CompensationRetryScheduled)


def test_16_parallel_steps_are_undone_independently():
    both = [START, handled("look_up"), answered(of_order(SeatHeld)), answered(charged())]
    turned = given(HastyTrip, *both).when(answered(of_order(TicketRefused)))
    assert [type(command) for command in turned.requests] == [RefundCard, FreeSeat]
    turned.when(failed("charge"))
    turned.when(answered(of_order(SeatFreed))).then_recorded(CompensationSucceeded)


def test_17_an_undo_whose_attempts_are_used_up_calls_an_operator_and_the_others_go_on():
    tried = given(Trip, *DECLINED_TICKET, failed("charge"), retry_due("charge"))
    given_up = tried.when(failed("charge"))
    given_up.then_recorded(CompensationFailed, InterventionRequested, CompensationRequested)
    given_up.then_requests(FREE).then_needs_intervention("charge")
    given_up.when(answered(of_order(SeatFreed))).then_needs_intervention("charge")


def test_17_a_rejected_undo_is_not_tried_again():
    for no in (answered(of_order(RefundImpossible)), refused("charge")):
        outcome = given(Trip, *DECLINED_TICKET).when(no)
        outcome.then_recorded(CompensationFailed, InterventionRequested, CompensationRequested)


def test_17_a_rejection_of_an_older_undo_does_not_end_the_newer():
    tried = given(Trip, *DECLINED_TICKET, timed_out("charge"), retry_due("charge"))
    tried.when(answered(of_order(RefundImpossible), attempt=1)).then_nothing()


def test_17_an_undo_can_hold_back_those_of_earlier_steps():
    refunding = CHARGE.compensation
    assert isinstance(refunding, Compensation)
    careful = replace(CHARGE, compensation=replace(refunding, holds_back_earlier=True))
    outcome = given(variant(charge=careful), *DECLINED_TICKET).when(refused("charge"))
    outcome.then_requests().then_needs_intervention("charge")
    outcome.when(skipped("charge")).then_requests(FREE)


def test_17_a_step_without_undo_that_may_have_had_an_effect_is_left_to_an_operator():
    outcome = given(variant(hold=replace(HOLD, compensation=None)), *HELD).when(
        answered(of_order(CardDeclined))
    )
    outcome.then_needs_intervention("hold")


def test_17_an_undo_that_succeeds_after_it_was_given_up_closes_the_item():
    tried = given(Trip, *DECLINED_TICKET, failed("charge"), retry_due("charge"))
    tried.when(failed("charge")).when(answered(of_order(SeatFreed)))
    tried.when(answered(of_order(CardRefunded), attempt=1)).then_status(Status.COMPENSATED)


# --- 20, 24, 28, 32 ---


def test_20_a_blocked_saga_takes_nothing_until_it_is_released():
    outcome = given(Trip, START).when(blocked("ZeroDivisionError"))
    outcome.then_status(Status.BLOCKED)
    assert outcome.saga.state is not None
    assert not outcome.saga.state.wants("look_up", DO, 1)
    outcome.when(handled("look_up")).then_refused(SagaIsBlocked)
    outcome.when(blocked("again")).then_nothing()
    outcome.when(released()).then_status(Status.RUNNING)
    outcome.when(handled("look_up")).then_status(Status.RUNNING)


@pytest.mark.parametrize("kind", [TimedOut, RetryDue])
def test_24_a_timer_that_fires_early_is_given_back(kind):
    scene = given(Trip, *HELD, *([failed("charge")] if kind is RetryDue else []))
    attempt = 2 if kind is RetryDue else 1
    early = kind(step="charge", direction=DO, attempt=attempt, at=MOMENT)
    scene.when(lambda _: early).then_refused(TimerNotDue)


def test_24_due_times_follow_from_the_time_that_came_with_the_input():
    outcome = given(Trip, START, handled("look_up")).when(after(7, failed("hold")))
    [_, scheduled] = outcome.events
    assert isinstance(scheduled, StepRetryScheduled)
    assert scheduled.due_at == MOMENT + timedelta(seconds=7 + 5)
    assert scheduled.occurred_on == MOMENT + timedelta(seconds=7)


def test_28_a_failure_after_the_pivot_never_undoes_anything():
    outcome = given(Trip, *ISSUED).when(refused("confirm", "no"))
    outcome.then_recorded(StepRejected, StepRetryScheduled, InterventionRequested)
    outcome.then_needs_intervention("confirm")
    outcome.when(retry_due("confirm")).when(handled("confirm")).then_status(Status.COMPLETED)


def test_28_a_step_after_the_pivot_is_retried_even_if_it_does_not_say_so():
    definition = variant(confirm=replace(CONFIRM, retriable=False))
    outcome = given(definition, *ISSUED).when(refused("confirm", "no"))
    outcome.then_needs_intervention("confirm")
    outcome.when(retry_due("confirm")).then_requests(ConfirmTrip(order_id=ORDER))


def test_28_a_pivot_without_undo_and_without_answer_is_left_to_an_operator():
    definition = variant(issue=replace(ISSUE, compensation=None))
    tried = given(definition, *CHARGED, timed_out("issue"), retry_due("issue"))
    stuck = tried.when(timed_out("issue")).then_requests().then_needs_intervention("issue")
    stuck.when(answered(of_order(TicketIssued))).then_status(Status.RUNNING)


def test_32_a_key_that_was_used_is_refused_with_the_saga_that_has_it():
    outcome = given(Trip, *UNDONE).when(started(booked())).then_refused(SagaAlreadyStarted)
    assert outcome.error is not None
    assert f"TestTrip:{ORDER}" in str(outcome.error)
