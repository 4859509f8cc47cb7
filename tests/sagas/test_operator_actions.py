"""What an operator does is in the stream of the saga and in the operator log, or in neither."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from events.exceptions import AggregateNotFound, InvalidInput, StaleVersion
from events.models import OperatorAction
from sagas import operations
from sagas.events import OperatorActed
from sagas.exceptions import ActionNotPossible
from sagas.running import repository

from .shop import PAYMENT
from .trips import blocked, charging, confirming, issuing, not_refunded, status_of, waiting

pytestmark = pytest.mark.django_db

WHO: dict[str, Any] = {"operator": "ann", "reason": "the line is back"}


def acted(saga_id):
    history = repository.store.read_stream(repository.load(saga_id).stream)
    return [each.event.action for each in history if isinstance(each.event, OperatorActed)]


def version(saga_id):
    return repository.load(saga_id).version


@pytest.mark.parametrize(
    ("prepared", "act", "action", "status"),
    [
        (waiting, lambda id: operations.retry_step(id, "hold", **WHO), "retry", "running"),
        (issuing, lambda id: operations.compensate(id, **WHO), "compensate", "compensating"),
        (issuing, lambda id: operations.abort(id, **WHO), "abort", "compensating"),
        (
            confirming,
            lambda id: operations.abort(id, force=True, **WHO),
            "force_abort",
            "compensating",
        ),
        (blocked, lambda id: operations.release(id, **WHO), "release", "running"),
    ],
)
def test_an_action_is_in_the_stream_and_in_the_operator_log(prepared, act, action, status):
    saga_id = prepared()

    assert act(saga_id)

    assert status_of(saga_id) == status
    assert acted(saga_id) == [action]
    row = OperatorAction.objects.get()
    assert (row.action, row.actor, row.reason) == (f"saga_{action}", "ann", "the line is back")
    assert row.details["saga_id"] == saga_id
    assert row.details["recorded"][0] == "SagaOperatorActed"


def test_a_skip_keeps_the_evidence_and_what_was_learned():
    saga_id = charging()
    learned = {"payment_id": str(PAYMENT)}

    operations.skip_step(saga_id, "charge", operator="ann", evidence="receipt 7", learned=learned)

    row = OperatorAction.objects.get()
    assert (row.reason, row.details["step"]) == ("receipt 7", "charge")
    assert row.details["learned"] == learned
    assert repository.load(saga_id).data.payment_id == PAYMENT


@pytest.mark.parametrize(
    ("learned", "field"),
    [({}, "learned"), ({"payment_id": "x"}, "learned.payment_id"), ({"a": 1}, "learned")],
)
def test_what_does_not_fit_the_state_is_refused_with_its_field(learned, field):
    saga_id = charging()
    with pytest.raises(InvalidInput) as refusal:
        operations.skip_step(saga_id, "charge", operator="ann", evidence="x", learned=learned)
    assert refusal.value.field == field
    assert (acted(saga_id), OperatorAction.objects.count()) == ([], 0)


def test_what_is_not_possible_leaves_no_trace():
    saga_id = confirming()
    with pytest.raises(ActionNotPossible, match="pivot"):
        operations.compensate(saga_id, **WHO)
    assert (acted(saga_id), OperatorAction.objects.count()) == ([], 0)


def test_turning_back_twice_is_once():
    saga_id = issuing()

    assert operations.compensate(saga_id, **WHO) is True
    assert operations.compensate(saga_id, **WHO) is False

    assert acted(saga_id) == ["compensate"]
    assert OperatorAction.objects.count() == 1


def test_a_saga_that_has_moved_on_since_it_was_looked_at_is_left_alone():
    saga_id = issuing()
    seen = version(saga_id)
    operations.compensate(saga_id, **WHO)

    with pytest.raises(StaleVersion):
        operations.abort(saga_id, force=True, expected_version=seen, **WHO)

    assert acted(saga_id) == ["compensate"]
    assert operations.abort(saga_id, force=True, expected_version=version(saga_id), **WHO)


def test_without_its_line_in_the_operator_log_nothing_happens(monkeypatch):
    saga_id = not_refunded()
    before = version(saga_id)

    def fail(*args, **kwargs):
        raise RuntimeError("disk full")

    monkeypatch.setattr(operations, "write_down", fail)
    with pytest.raises(RuntimeError):
        operations.retry_step(saga_id, "charge", **WHO)

    assert version(saga_id) == before
    assert status_of(saga_id) == "needs_intervention"


@pytest.mark.parametrize(
    ("operator", "reason", "field"),
    [(" ", "x", "actor"), ("a" * 201, "x", "actor"), ("ann", " ", "reason")],
)
def test_who_and_why_have_to_be_said(operator, reason, field):
    saga_id = issuing()
    with pytest.raises(InvalidInput) as refusal:
        operations.compensate(saga_id, operator=operator, reason=reason)
    assert refusal.value.field == field
    assert status_of(saga_id) == "running"


def test_a_saga_that_is_not_there_is_not_made():
    with pytest.raises(AggregateNotFound):
        operations.compensate("TestTrip:nobody", **WHO)
    assert not OperatorAction.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_operators_who_act_at_the_same_moment_on_what_they_saw_one_does():
    saga_id = issuing()
    seen, together = version(saga_id), Barrier(4)

    def press(number):
        together.wait(timeout=30)
        try:
            return operations.abort(
                saga_id, operator=f"ann {number}", reason="x", expected_version=seen
            )
        except StaleVersion:
            return None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(press, range(4)))

    assert sorted(outcomes, key=str) == [None, None, None, True]
    assert acted(saga_id) == ["abort"]
    assert OperatorAction.objects.count() == 1
