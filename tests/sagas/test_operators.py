"""What operators can do: each act once, with a name and a reason, recorded or refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from events.exceptions import InvalidInput
from sagas.events import Action, CompensationAbandoned, OperatorActed, SagaFailed, StepSkipped
from sagas.exceptions import ActionNotPossible
from sagas.identity import Direction
from sagas.state import Progress, Status
from sagas.step import Compensation
from sagas.testing import (
    aborted,
    answered,
    compensated,
    failed,
    given,
    handled,
    refused,
    released,
    retried,
    retry_due,
    skipped,
    started,
    timed_out,
)

from .shop import (
    HOLD,
    ISSUE,
    ORDER,
    PAYMENT,
    CancelTrip,
    CardRefunded,
    ConfirmTrip,
    FreeSeat,
    HoldSeat,
    IssueTicket,
    RefundCard,
    SeatFreed,
    SeatHeld,
    TicketIssued,
    TicketRefused,
    Trip,
    booked,
    charged,
    effect_key,
    of_order,
    variant,
)

START = started(booked())
HELD = [START, handled("look_up"), answered(of_order(SeatHeld))]
CHARGED = [*HELD, answered(charged())]
ISSUED = [*CHARGED, answered(of_order(TicketIssued))]
NOT_REFUNDED = [*CHARGED, answered(of_order(TicketRefused)), refused("charge")]
LEARNED = {"payment_id": str(PAYMENT)}


# --- retry ---


def test_a_retry_makes_the_next_attempt_now_and_none_of_the_earlier_steps():
    outcome = given(Trip, START, handled("look_up"), failed("hold")).when(retried("hold"))
    outcome.then_requests(HoldSeat(order_id=ORDER, effect_key=effect_key("hold")))
    acted = outcome.events[0]
    assert isinstance(acted, OperatorActed)
    assert (acted.action, acted.step, acted.operator) == (Action.RETRY, "hold", "ann")
    outcome.when(retry_due("hold")).then_nothing()


def test_a_retry_is_given_all_attempts_again():
    tried = given(Trip, START, handled("look_up"), failed("hold"), retried("hold"))
    tried.when(failed("hold")).then_status(Status.RUNNING)


def test_a_failed_undo_can_be_retried():
    outcome = given(Trip, *NOT_REFUNDED).when(retried("charge"))
    outcome.then_requests(
        RefundCard(order_id=ORDER, payment_id=PAYMENT, undoes=effect_key("charge"))
    )
    outcome.then_status(Status.COMPENSATING)
    outcome.when(answered(of_order(SeatFreed)))


def test_the_same_click_again_makes_no_further_attempt():
    click = retried("hold")
    tried = given(Trip, START, handled("look_up"), failed("hold"), click, failed("hold"))
    tried.when(click).then_nothing()
    tried.when(retried("hold")).then_status(Status.RUNNING)


@pytest.mark.parametrize("step", ["look_up", "hold", "charge"])
def test_what_is_done_or_asked_for_or_not_reached_is_not_retried(step):
    given(Trip, START, handled("look_up")).when(retried(step)).then_refused(ActionNotPossible)


def test_a_step_without_undo_can_not_be_retried_backwards():
    definition = variant(issue=replace(ISSUE, pivot=False, compensation=None))
    lost = [timed_out("issue"), retry_due("issue"), timed_out("issue")]
    outcome = given(definition, *CHARGED, *lost).when(retried("issue"))
    outcome.then_refused(ActionNotPossible)


# --- skip ---


def test_a_skipped_step_is_done_with_what_the_operator_has_learned():
    outcome = given(Trip, *HELD).when(skipped("charge", "paid in cash", LEARNED))
    outcome.then_requests(IssueTicket(order_id=ORDER, payment_id=PAYMENT))
    assert StepSkipped(step="charge", evidence="paid in cash", learned=LEARNED) in outcome.events


def test_a_skipped_step_is_undone_with_the_others():
    outcome = given(Trip, *HELD, skipped("charge", "paid", LEARNED)).when(
        answered(of_order(TicketRefused))
    )
    outcome.then_requests(
        RefundCard(order_id=ORDER, payment_id=PAYMENT, undoes=effect_key("charge"))
    )


def test_a_rejection_that_comes_after_the_skip_does_not_take_it_back():
    late = refused("charge")
    outcome = given(Trip, *HELD, skipped("charge", "paid", LEARNED)).when(late)
    outcome.then_requests().then_status(Status.RUNNING)


@pytest.mark.parametrize("learned", [{}, {"payment_id": 5}, {**LEARNED, "total": "1"}], ids=repr)
def test_a_skip_tells_exactly_what_the_step_would_have(learned):
    outcome = given(Trip, *HELD).when(skipped("charge", learned=learned)).then_refused(InvalidInput)
    assert "learned" in str(outcome.error)


def test_skipping_the_pivot_passes_it():
    outcome = given(Trip, *CHARGED).when(skipped("issue"))
    outcome.then_requests(ConfirmTrip(order_id=ORDER))
    outcome.when(compensated()).then_refused(ActionNotPossible)


def test_a_skipped_undo_lets_the_saga_end():
    outcome = given(Trip, *NOT_REFUNDED, answered(of_order(SeatFreed))).when(skipped("charge"))
    outcome.then_status(Status.COMPENSATED)


def test_a_step_that_was_not_reached_can_not_be_skipped():
    given(Trip, START).when(skipped("hold")).then_refused(ActionNotPossible)


# --- compensate and abort ---


@pytest.mark.parametrize("act", [compensated, aborted])
def test_turning_back_undoes_what_is_done_and_what_is_unknown(act):
    outcome = given(Trip, *HELD).when(act())
    outcome.then_requests(
        RefundCard(order_id=ORDER, payment_id=None, undoes=effect_key("charge"))
    ).then_status(Status.COMPENSATING)


def test_turning_back_closes_what_was_open_about_going_forward():
    definition = variant(hold=replace(HOLD, retriable=True))
    tried = [START, handled("look_up"), failed("hold"), retry_due("hold")]
    alarmed = given(definition, *tried).when(failed("hold")).then_needs_intervention("hold")
    alarmed.when(aborted()).then_status(Status.COMPENSATING)


@pytest.mark.parametrize("act", [compensated, aborted])
def test_turning_back_twice_is_once(act):
    click = act()
    given(Trip, *HELD, click).when(click).then_nothing()
    given(Trip, *HELD, act()).when(act()).then_nothing()


def test_force_twice_is_once_unless_something_has_failed_since():
    definition = variant(undo_start=Compensation(command=CancelTrip, timeout_seconds=10))
    forced = given(definition, *NOT_REFUNDED).when(aborted(force=True))
    forced.when(aborted(force=True)).then_nothing()
    forced.when(refused("hold")).when(aborted(force=True)).then_recorded(
        OperatorActed, CompensationAbandoned
    )


@pytest.mark.parametrize("act", [compensated, aborted])
def test_there_is_no_way_back_after_the_pivot(act):
    outcome = given(Trip, *ISSUED).when(act()).then_refused(ActionNotPossible)
    assert "pivot" in str(outcome.error)


def test_force_undoes_after_the_pivot_too_and_ends_as_failed_with_what_stays():
    definition = variant(hold=replace(HOLD, compensation=None))
    outcome = given(definition, *ISSUED).when(aborted("fraud", force=True))
    assert outcome.saga.state is not None
    assert outcome.saga.state.undo_plan == ("confirm", "issue", "charge", "hold")
    outcome.when(handled("issue"))
    ended = outcome.when(answered(of_order(CardRefunded))).then_status(Status.FAILED)
    assert ended.events[-1] == SagaFailed(left_standing=["confirm", "hold"])


def test_force_gives_up_the_undos_that_fail_and_waits_for_the_others():
    outcome = given(Trip, *NOT_REFUNDED).when(aborted("bank is closed", force=True))
    outcome.then_requests().then_status(Status.COMPENSATING)
    assert outcome.saga.state is not None
    assert outcome.saga.state.leg("charge", Direction.UNDO).progress is Progress.ABANDONED
    ended = outcome.when(answered(of_order(SeatFreed))).then_status(Status.FAILED)
    assert ended.events[-1] == SagaFailed(left_standing=["charge"])


@pytest.mark.parametrize(
    "act",
    [retried("confirm"), skipped("confirm"), compensated(), aborted(force=True)],
    ids=["retry", "skip", "compensate", "abort"],
)
def test_a_completed_saga_is_left_alone(act):
    given(Trip, *ISSUED, handled("confirm")).when(act).then_refused(ActionNotPossible)


# --- all of them ---


@pytest.mark.parametrize(
    "act",
    [retried("hold", " "), skipped("hold", ""), compensated(""), aborted("")],
    ids=["retry", "skip", "compensate", "abort"],
)
def test_an_act_without_a_reason_is_refused_by_name(act):
    outcome = given(Trip, START, handled("look_up"), failed("hold")).when(act)
    outcome.then_refused(InvalidInput)
    assert str(outcome.error).startswith("reason:")


def test_a_step_that_does_not_exist_is_refused_by_name():
    outcome = given(Trip, START).when(retried("fly")).then_refused(InvalidInput)
    assert str(outcome.error) == "step: TestTrip has no step 'fly'"


def test_a_saga_that_is_not_blocked_can_not_be_released():
    given(Trip, START).when(released()).then_refused(ActionNotPossible)


def test_the_second_undo_waits_for_the_first_also_when_an_operator_turned_back():
    outcome = given(Trip, *HELD, aborted()).when(answered(of_order(CardRefunded)))
    outcome.then_requests(
        FreeSeat(
            order_id=ORDER,
            effect_key=effect_key("hold", Direction.UNDO),
            undoes=effect_key("hold"),
        )
    )
