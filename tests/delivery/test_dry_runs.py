"""A failed event is tried, and nothing of it stays."""

from __future__ import annotations

import pytest
from django.db import transaction

from events.bus.retry import RetryPolicy
from events.bus.subscription import Effects, subscribe, subscriptions
from events.delivery import dry_run as module
from events.delivery.draining import drain
from events.delivery.dry_run import dry_run, why_not
from events.exceptions import DryRunNotPossible
from events.models import Event, FailedEvent, OperatorAction
from tests.effects.models import Effect, leave_effect
from tests.factories import cart, items

NAME = "tests.effects"

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_other_subscriptions"),
]


@pytest.fixture
def dead(store):
    """A dead letter of a handler that does better the next time."""

    def dead(handler=leave_effect, **options):
        options = {"retry": RetryPolicy(attempts=1), "name": NAME} | options
        subscribe("*", _fail, **options)
        store.append(cart(), items(1))
        drain(raise_errors=False)
        subscriptions.remove(NAME)
        subscribe("*", handler, **options)
        return FailedEvent.objects.get()

    return dead


def _fail(event):
    raise ValueError("no good")


def everything():
    return (
        list(Event.objects.values_list("event_id", flat=True)),
        Effect.objects.count(),
        list(FailedEvent.objects.values()),
    )


def test_what_would_be_written_is_told_and_rolled_back(dead, store):
    afterwards = []

    def handle(event):
        leave_effect(event)
        store.append(cart(9), items(2))
        transaction.on_commit(lambda: afterwards.append(event))

    row = dead(handle)
    before = everything()

    found = dry_run(row, actor="ann")

    assert found.error is None
    assert [(each.verb, each.table) for each in found.writes] == [("insert", "effects_effect")]
    assert [str(each.stream) for each in found.events] == ["Cart-cart-9"] * 2
    assert everything() == before
    assert afterwards == []


def test_an_error_is_told_with_its_place(dead):
    def handle(event):
        leave_effect(event)
        raise LookupError("still no good")

    row = dead(handle)
    before = everything()

    found = dry_run(row, actor="ann")

    assert found.error == "LookupError: still no good"
    assert "test_dry_runs.py" in found.traceback
    assert everything() == before


def test_a_handler_with_effects_elsewhere_is_never_called(dead):
    calls = []
    row = dead(calls.append, effects=Effects.EXTERNAL)
    calls.clear()

    assert isinstance(why_not(row), DryRunNotPossible)
    with pytest.raises(DryRunNotPossible, match="outside of the database"):
        dry_run(row, actor="ann")
    assert calls == []
    assert not OperatorAction.objects.exists()


def test_without_code_there_is_nothing_to_try(dead):
    row = dead()
    subscriptions.remove(NAME)
    with pytest.raises(DryRunNotPossible, match="isn't in the code"):
        dry_run(row, actor="ann")


def test_a_handler_that_takes_too_long_is_stopped(dead, monkeypatch):
    monkeypatch.setattr(module, "MAX_SECONDS", 0.2)

    def handle(event):
        while True:
            pass

    found = dry_run(dead(handle), actor="ann")
    assert "HandlerTimeout" in found.error


def test_what_is_filtered_out_now_is_not_handled(dead):
    row = dead()
    subscriptions.remove(NAME)
    subscribe("*", leave_effect, name=NAME, filter=lambda event: False)

    found = dry_run(row, actor="ann")

    assert found.is_filtered
    assert not found.writes


def test_the_operator_log_has_it(dead):
    dry_run(dead(), actor="ann", reason="is it mended?")

    entry = OperatorAction.objects.get()
    assert (entry.action, entry.actor, entry.reason) == ("dry_run", "ann", "is it mended?")
    assert (entry.subject, entry.details["error"]) == ("Cart-cart-1", None)
