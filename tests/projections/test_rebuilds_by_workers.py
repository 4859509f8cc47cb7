"""A rebuild that an operator has asked for is carried out by workers, and can be cancelled."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from events.bus.subscription import Delivery
from events.delivery import background, engine, rebuilding
from events.delivery.background import ask_for_rebuild, cancel
from events.delivery.draining import drain
from events.exceptions import InvalidInput, UnknownProjection
from events.models import OperatorAction, SubscriptionState
from tests.effects.models import CartItem
from tests.effects.projections import CartItems
from tests.projections.test_rebuilding import NAME, declare, expected, fill, rows

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_other_subscriptions"),
]


@pytest.fixture(params=[Delivery.DURABLE, Delivery.INLINE], ids=lambda each: each.value)
def broken(request, store):
    """Rows that a rebuild would mend."""
    declare(delivery=request.param)
    fill(store)
    drain()
    CartItem.objects.update(quantity=77)


@pytest.fixture
def small_steps(monkeypatch):
    """A batch at a time, and not all of the log in the last transaction."""
    monkeypatch.setattr(rebuilding, "_CLOSE", 0)
    # Positions that other tests have drawn are passed at once.
    monkeypatch.setattr(rebuilding, "_BATCHES_BETWEEN_NOTES", 1_000_000)
    monkeypatch.setattr(engine, "WINDOW", 1_000_000)
    monkeypatch.setattr(background, "_SECONDS", 0.0001)


def ask():
    return ask_for_rebuild(NAME, actor="ann", reason="wrong quantities")


def shadow_tables():
    return [name for name in connection.introspection.table_names() if name.endswith("__rebuild")]


def test_rows_are_rebuilt(broken):
    operation = ask()
    drain()

    operation.refresh_from_db()
    assert (operation.status, operation.done) == ("done", operation.total)
    assert operation.total >= 12
    assert rows() == expected()
    assert not shadow_tables()
    entry = OperatorAction.objects.get()
    assert (entry.action, entry.subscription, entry.actor) == ("rebuild", NAME, "ann")


def test_there_is_one_rebuild_of_a_projection_at_a_time(broken):
    ask()
    with pytest.raises(InvalidInput, match="is under way"):
        ask()
    drain()
    ask()


def test_what_is_no_projection_can_not_be_rebuilt():
    with pytest.raises(UnknownProjection):
        ask()
    assert not OperatorAction.objects.exists()


def test_a_cancelled_rebuild_leaves_the_rows_as_they_were(broken, small_steps, monkeypatch):
    monkeypatch.setattr(rebuilding, "_batch_size", lambda: 2)
    operation = ask()
    background._advance_rebuild(operation.pk)
    operation.refresh_from_db()
    assert operation.status == "running"
    assert shadow_tables()

    cancel(operation.pk, actor="bob", reason="too slow")
    drain()

    operation.refresh_from_db()
    assert operation.status == "cancelled"
    assert not shadow_tables()
    assert not SubscriptionState.objects.filter(name__contains="~").exists()
    assert {quantity for _, _, quantity in rows()} == {77}


def test_a_rebuild_that_is_cancelled_at_its_end_does_not_replace_the_rows(broken, monkeypatch):
    operation = ask()
    advance = rebuilding.Rebuild.advance

    def cancel_first(self, seconds, *, finish):
        cancel(operation.pk, actor="bob", reason="stop")
        return advance(self, seconds, finish=finish)

    monkeypatch.setattr(rebuilding.Rebuild, "advance", cancel_first)
    drain()

    operation.refresh_from_db()
    assert operation.status == "cancelled"
    assert {quantity for _, _, quantity in rows()} == {77}


def test_a_rebuild_that_fails_says_why(broken, monkeypatch):
    def fail(self, recorded):
        raise ValueError("what is this?")

    monkeypatch.setattr(CartItems, "project", fail)
    operation = ask()
    drain(raise_errors=False)

    operation.refresh_from_db()
    assert operation.status == "failed"
    assert "what is this?" in operation.problem
    assert {quantity for _, _, quantity in rows()} == {77}


def test_that_it_has_failed_is_told_where_its_worker_died_before_it_could(broken, monkeypatch):
    def fail(self, recorded):
        raise ValueError("what is this?")

    monkeypatch.setattr(CartItems, "project", fail)
    operation = ask()
    with monkeypatch.context() as dying:
        dying.setattr(background, "_fail", lambda *_: None)
        drain(raise_errors=False)
    operation.refresh_from_db()
    assert operation.status == "running"

    drain(raise_errors=False)

    operation.refresh_from_db()
    assert operation.status == "failed"
    assert "what is this?" in operation.problem


def test_another_worker_goes_on_with_a_rebuild(broken, small_steps, monkeypatch):
    monkeypatch.setattr(rebuilding, "_batch_size", lambda: 2)
    operation = ask()
    steps = 1
    while background._advance_rebuild(operation.pk):
        steps += 1
        assert steps < 20

    assert steps > 3
    operation.refresh_from_db()
    assert operation.status == "done"
    assert rows() == expected()


def test_a_worker_that_died_before_it_had_made_its_tables_is_waited_for_and_replaced(broken):
    operation, rows_of_it = ask(), background.operations()
    now = timezone.now()
    rows_of_it.update(status="running", started_at=now, updated_at=now)
    assert not background._advance_rebuild(operation.pk)
    assert not shadow_tables()

    rows_of_it.update(updated_at=now - timedelta(minutes=2))
    drain()

    operation.refresh_from_db()
    assert operation.status == "done"
    assert rows() == expected()
