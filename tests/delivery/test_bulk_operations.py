"""Many dead letters at once: the set is frozen, each of them has its turn once, whatever happens to
the workers."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from django.db import IntegrityError, OperationalError

from events.bus.retry import RetryPolicy
from events.bus.subscription import subscribe
from events.delivery import background, bulk, dead_letters
from events.delivery.background import carry_out_operations
from events.delivery.bulk import Conditions
from events.delivery.draining import drain
from events.exceptions import InvalidInput
from events.models import FailedEvent, Operation, OperationItem, OperatorAction
from tests.effects.models import Effect, leave_effect
from tests.factories import cart, items
from tests.processes import OtherProcess, eventually, new_event, running

NAME = "tests.effects"
ONE_ATTEMPT = RetryPolicy(attempts=1)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def is_mended(store, no_other_subscriptions):
    """Dead letters until it is set."""
    mended = threading.Event()

    def handle(event):
        if not mended.is_set():
            raise ValueError(f"{event.aggregate_id} is no good")
        leave_effect(event)

    subscribe("*", handle, name=NAME, retry=ONE_ATTEMPT, backs_off=False)
    return mended


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(bulk, "PART", 2)


@pytest.fixture
def dead(store, is_mended):
    return park(store, range(5))


def park(store, numbers):
    """A dead letter in each of these streams."""
    for number in numbers:
        store.append(cart(number), items(1))
    drain(raise_errors=False)
    return list(FailedEvent.objects.order_by("pk"))


def group():
    return Conditions(fingerprint=FailedEvent.objects.first().fingerprint)


def ask(kind="retry", conditions=None, **options):
    conditions = conditions or group()
    seen = bulk.survey(conditions)
    return bulk.ask(kind, conditions, seen, **{"actor": "ann", "reason": "mended"} | options)


def outcomes(operation):
    return Counter(operation.items.values_list("status", flat=True))


def acted_on():
    """How often the operator log has each failed event."""
    rows = OperatorAction.objects.filter(action__in=["retry", "discard"])
    return Counter(row.details["failed_event"] for row in rows)


def test_all_of_a_group_are_retried_part_by_part(dead, is_mended):
    is_mended.set()
    operation = ask()
    assert (operation.total, operation.status) == (5, "waiting")

    assert carry_out_operations()
    drain()

    operation.refresh_from_db()
    assert (operation.status, operation.done, operation.skipped) == ("done", 5, 0)
    assert outcomes(operation) == {"done": 5}
    assert Effect.objects.count() == 5
    assert not FailedEvent.objects.exists()
    entries = OperatorAction.objects.filter(action="retry")
    assert {(each.actor, each.reason, each.details["operation"]) for each in entries} == {
        ("ann", "mended", operation.pk)
    }


def test_what_fails_later_is_not_of_the_set(dead, store):
    operation = ask("discard")
    later = [row.pk for row in park(store, [7, 8]) if row.aggregate_id in ("cart-7", "cart-8")]

    drain(raise_errors=False)

    assert operation.items.count() == 5
    assert sorted(FailedEvent.objects.values_list("pk", flat=True)) == later


def test_another_number_than_was_seen_is_refused(dead):
    seen = bulk.survey(group())
    dead_letters.discard(dead_letters.choose(dead[:1]), actor="bob", reason="test")

    with pytest.raises(InvalidInput, match="there are 4 now, not 5"):
        bulk.ask("retry", group(), seen, actor="ann")
    assert not Operation.objects.exists()
    assert not OperationItem.objects.exists()


def test_an_operation_has_a_condition_and_discarding_a_reason(dead):
    with pytest.raises(InvalidInput, match="conditions"):
        ask(conditions=Conditions())
    with pytest.raises(InvalidInput, match="reason"):
        ask("discard", reason=" ")
    assert not Operation.objects.exists()


def test_what_has_changed_since_is_skipped(dead, is_mended):
    operation = ask("discard")
    dead_letters.retry(dead_letters.choose(dead[:1]), actor="bob")
    dead_letters.discard(dead_letters.choose(dead[1:2]), actor="bob", reason="test")

    carry_out_operations()

    operation.refresh_from_db()
    assert (operation.done, operation.skipped) == (3, 2)
    whys = operation.items.exclude(why="").order_by("pk").values_list("why", flat=True)
    assert ["changed" in whys[0], "gone" in whys[1]] == [True, True]
    assert FailedEvent.objects.filter(pk=dead[0].pk).exists()


def test_a_cancelled_operation_goes_no_further(dead):
    operation = ask("discard")
    assert background._advance_bulk(operation.pk)

    background.cancel(operation.pk, actor="bob", reason="wrong group")
    drain(raise_errors=False)

    operation.refresh_from_db()
    assert (operation.status, operation.done) == ("cancelled", 2)
    assert FailedEvent.objects.count() == 3
    entry = OperatorAction.objects.get(action="cancel")
    assert (entry.actor, entry.reason, entry.details["done"]) == ("bob", "wrong group", 2)
    with pytest.raises(InvalidInput, match="isn't under way"):
        background.cancel(operation.pk, actor="bob", reason="again")


@pytest.mark.parametrize("stream", ["cart", "c\0rt", "c\ud800rt"])
def test_one_that_raises_does_not_hold_up_the_others(dead, monkeypatch, stream):
    bad = dead[2].pk
    resolve = dead_letters.failures.resolve

    def resolve_unless_bad(subscription, row, *arguments):
        if row.pk == bad:
            raise LookupError(f"{stream} can't be read")
        return resolve(subscription, row, *arguments)

    monkeypatch.setattr(dead_letters.failures, "resolve", resolve_unless_bad)
    operation = ask("discard")
    drain(raise_errors=False)

    operation.refresh_from_db()
    assert (operation.status, operation.done, operation.failed) == ("done", 4, 1)
    why = operation.items.get(failed_event=bad).why
    assert (why.startswith("LookupError: c"), why.endswith("rt can't be read")) == (True, True)
    assert FailedEvent.objects.get().pk == bad


def test_a_deadlock_is_no_failure_of_an_item(dead, monkeypatch):
    operation = ask("discard")
    with monkeypatch.context() as patch:
        patch.setattr(bulk, "_one_by_one", None)
        patch.setattr(dead_letters, "_lock", _deadlock)
        assert not carry_out_operations()
    drain(raise_errors=False)

    operation.refresh_from_db()
    assert (operation.status, operation.done) == ("done", 5)


@pytest.mark.parametrize("error", [IntegrityError("no"), ValueError("c\0rt"), ValueError("\ud800")])
def test_one_that_can_never_be_done_is_given_up(dead, monkeypatch, error):
    def fail(operation):
        raise error

    operation = ask("discard")
    with monkeypatch.context() as patch:
        patch.setattr(bulk, "carry_out_part", fail)
        assert not carry_out_operations()

    operation.refresh_from_db()
    assert (operation.status, operation.done) == ("failed", 0)
    assert operation.problem
    assert FailedEvent.objects.count() == 5


def _deadlock(chosen):
    raise OperationalError("deadlock detected")


# --- workers that die, and several of them ---


def _carry_out_until_all_is_done():
    eventually(lambda: not (carry_out_operations() or _is_open()), seconds=20)


def _is_open():
    return background.operations().filter(status__in=Operation.OPEN).exists()


def _hang_before_the_commit(reached, parts):
    bulk.PART = 2
    note, calls = bulk._note, []

    def note_and_hang(*arguments):
        note(*arguments)
        calls.append(1)
        if len(calls) == parts:
            reached.set()
            threading.Event().wait(60)

    bulk._note = note_and_hang
    carry_out_operations()


def _work_at_the_same_time():
    bulk.PART = 2
    _carry_out_until_all_is_done()


@pytest.mark.parametrize("parts", [1, 2])
def test_after_a_crash_another_worker_goes_on_and_each_item_has_its_turn_once(dead, parts):
    operation = ask()
    reached = new_event()
    with running(_hang_before_the_commit, reached, parts) as victim:
        assert reached.wait(20)
        victim.kill()
    operation.refresh_from_db()
    assert operation.done == 2 * (parts - 1)

    _carry_out_until_all_is_done()

    operation.refresh_from_db()
    assert (operation.status, operation.done) == ("done", 5)
    assert acted_on() == {row.pk: 1 for row in dead}


def test_workers_at_the_same_time_share_it(dead, store):
    park(store, range(10, 30))
    operation = ask()

    workers = [OtherProcess(_work_at_the_same_time) for _ in range(3)]
    for worker in workers:
        worker.result()

    operation.refresh_from_db()
    assert (operation.status, operation.done, operation.total) == ("done", 25, 25)
    assert set(acted_on().values()) == {1}
