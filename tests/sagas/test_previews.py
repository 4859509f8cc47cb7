"""Where the steps stand, and what an action would do, are told from the state alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from sagas.exceptions import ActionNotPossible, SagaIsBlocked
from sagas.inputs import Abort, Compensate, Release, RetryStep, SkipStep
from sagas.preview import Undo, preview
from sagas.progress import Standing, step_views
from sagas.running import repository
from sagas.step import Compensation
from tests.factories import MOMENT

from .shop import PAYMENT, CancelTrip, variant
from .trips import (
    blocked,
    charging,
    completed,
    confirming,
    issuing,
    not_refunded,
    started,
    waiting,
)

pytestmark = pytest.mark.django_db

WHO: dict[str, Any] = {"action_id": UUID(int=5), "operator": "ann", "reason": "-", "at": MOMENT}


def standings(saga_id):
    saga = repository.load(saga_id)
    return {view.name: view.standing.value for view in step_views(saga.plan, saga.state)}


# --- where steps stand ---


@pytest.mark.parametrize(
    ("prepared", "expected"),
    [
        (started, ["doing", "to_come", "to_come", "to_come", "to_come"]),
        (waiting, ["done", "retrying", "to_come", "to_come", "to_come"]),
        (confirming, ["done", "done", "done", "done", "doing"]),
        (completed, ["done", "done", "done", "done", "done"]),
        (not_refunded, ["done", "undoing", "not_undone", "rejected", "not_reached"]),
    ],
)
def test_each_step_stands_somewhere(prepared, expected):
    steps = ("look_up", "hold", "charge", "issue", "confirm")
    assert standings(prepared()) == dict(zip(steps, expected, strict=True))


def test_what_waits_for_its_turn_to_be_undone_says_so():
    saga_id = issuing()
    saga = repository.load(saga_id)
    saga.handle(Compensate(**WHO))
    views = {view.name: view for view in step_views(saga.plan, saga.state)}
    assert views["issue"].standing is Standing.UNDOING
    assert views["charge"].standing is views["hold"].standing is Standing.TO_UNDO
    assert views["issue"].traits == ("pivot",)


def test_without_a_definition_the_steps_are_those_that_something_has_happened_to():
    saga = repository.load(not_refunded())
    names = [view.name for view in step_views(None, saga.state)]
    assert names == ["look_up", "hold", "charge", "issue"]
    [item] = [view.item for view in step_views(None, saga.state) if view.item]
    assert "charge is not undone" in item.problem


def test_the_start_is_a_step_where_it_can_be_undone():
    plan = variant(undo_start=Compensation(command=CancelTrip, timeout_seconds=5)).plan
    saga = repository.load(started())
    first, *_ = step_views(plan, saga.state)
    assert (first.name, first.stage, first.standing) == ("start", 0, Standing.DONE)


# --- previews ---


@pytest.mark.parametrize("given", [Compensate(**WHO), Abort(**WHO), Abort(**WHO, force=True)])
def test_the_compensations_are_foretold_in_their_order(given):
    saga = repository.load(issuing())

    found = preview(saga, given)

    assert found.undos == (
        Undo(step="issue", command_type="tests.VoidTicket"),
        Undo(step="charge", command_type="tests.RefundCard"),
        Undo(step="hold", command_type="tests.FreeSeat"),
    )
    assert found.at_once == ("tests.VoidTicket is sent to undo issue, attempt 1.",)
    assert found.status == "compensating"


def test_what_is_foretold_is_what_happens():
    saga = repository.load(issuing())
    found = preview(saga, Compensate(**WHO))

    saga.handle(Compensate(**WHO))

    assert saga.state is not None
    assert saga.state.undo_plan == tuple(undo.step for undo in found.undos)
    assert saga.status == found.status


def test_a_preview_changes_nothing():
    saga_id = issuing()
    saga = repository.load(saga_id)
    before = (saga.state, saga.version)

    preview(saga, Compensate(**WHO))

    assert (saga.state, saga.version, saga.uncommitted_events) == (*before, ())
    assert repository.load(saga_id).version == before[1]


def test_each_action_is_foretold_in_words():
    found = preview(repository.load(waiting()), RetryStep(**WHO, step="hold"))
    assert found.at_once == ("tests.HoldSeat is sent for hold, attempt 2.",)

    learned = {"payment_id": str(PAYMENT)}
    found = preview(repository.load(charging(8)), SkipStep(**WHO, step="charge", learned=learned))
    assert found.at_once == (
        "charge counts as done.",
        "tests.IssueTicket is sent for issue, attempt 1.",
    )

    found = preview(repository.load(not_refunded(9)), Abort(**WHO, force=True))
    assert found.at_once == ("charge is given up: its effect stays.",)

    found = preview(repository.load(blocked(10)), Release(**WHO))
    assert (found.at_once, found.status) == ((), "running")


def test_what_is_so_already_is_no_change():
    assert not preview(repository.load(not_refunded()), Compensate(**WHO)).changes


def test_what_is_refused_is_refused_beforehand():
    with pytest.raises(ActionNotPossible, match="pivot"):
        preview(repository.load(confirming()), Compensate(**WHO))
    with pytest.raises(SagaIsBlocked):
        preview(repository.load(blocked(8)), Compensate(**WHO))
