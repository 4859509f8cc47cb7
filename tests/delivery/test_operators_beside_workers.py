"""What operators do while workers handle events, in processes of their own.

The invariants: each event that isn't discarded has its effect once, those of a stream in order; and
nothing is committed in the name of a lane after it was taken from its worker.
"""

from __future__ import annotations

import random
from functools import partial

import pytest
from django.db import transaction

from events.bus.retry import RetryPolicy
from events.bus.subscription import Start, subscribe, subscriptions
from events.delivery import dead_letters, lanes, operations
from events.delivery.context import current_delivery
from events.delivery.dead_letters import choose, find
from events.delivery.worker import Worker
from events.exceptions import LeaseLost
from events.models import FailedEvent, Lane, OperatorAction, SubscriptionState
from events.store.configured import event_store
from tests.delivery.conftest import effects
from tests.effects.models import Effect, leave_effect
from tests.factories import cart, items
from tests.processes import OtherProcess, eventually, new_event, run_at_once, running

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "tests.effects"
STREAMS, ROUNDS = 8, 15
WHO = {"actor": "ann", "reason": "test"}


def fails_at_every_fifth(event):
    leave_effect(event)
    if event.sequence_number % 5 == 2 and not OperatorAction.objects.filter(
        details__event_id=str(event.event_id), action="retry"
    ):
        raise ValueError("no good")


def subscribed(handler=leave_effect, **options):
    subscriptions._by_name.clear()
    options = {"name": NAME, "retry": RetryPolicy(attempts=1), "lanes": 2} | options
    return subscribe("Cart.*", handler, **options)


def work(stop, handler=leave_effect, options=None):
    subscribed(handler, **options or {})
    Worker(is_stopping=stop.is_set).run()


def append_rounds():
    store, chance = event_store(), random.Random(1)
    for _ in range(ROUNDS):
        for number in chance.sample(range(STREAMS), STREAMS):
            store.append(cart(number), items(1))


def operate(stop):
    """Retries one half of what fails, and discards the other. Returns what was discarded."""
    subscribed(fails_at_every_fifth)
    discarded = set()
    while True:
        is_last = stop.wait(0.05)
        rows = list(find(status="dead"))
        half = len(rows) // 2
        retried = {row.pk: row for row in rows[:half]}
        dead_letters.retry(choose(retried.values()), **WHO)
        passed_over = {row.pk: (row.aggregate_id, row.sequence_number) for row in rows[half:]}
        outcome = dead_letters.discard(choose(rows[half:]), **WHO)
        discarded |= {passed_over[done] for done in outcome.done}
        if is_last and not rows:
            return discarded


def test_nothing_is_lost_doubled_or_reordered_by_operators_beside_workers():
    stop_workers, stop_operator = new_event(), new_event()
    event_store().append(cart(0), items(1))
    subscribed(fails_at_every_fifth)
    with (
        running(work, stop_workers, fails_at_every_fifth),
        running(work, stop_workers, fails_at_every_fifth),
        running(operate, stop_operator) as operator,
    ):
        run_at_once([append_rounds, append_rounds])
        mark = event_store().high_water_mark()
        eventually(
            lambda: (
                not FailedEvent.objects.exists()
                and all(lane.position >= mark for lane in Lane.objects.all())
            ),
            seconds=60,
        )
        stop_operator.set()
        discarded = operator.result()
        stop_workers.set()

    handled = effects()
    expected = {
        (f"cart-{number}", version)
        for number in range(STREAMS)
        for version in range(2 * ROUNDS + (number == 0))
    }
    assert discarded
    assert OperatorAction.objects.filter(action="retry").exists()
    assert len(handled) == len(set(handled))
    assert set(handled) == expected - discarded
    for number in range(STREAMS):
        versions = [version for stream, version in handled if stream == f"cart-{number}"]
        assert versions == sorted(versions)
    assert Lane.objects.filter(crashes__gt=0).count() == 0


def waits(event, *, reached, go_on):
    leave_effect(event)
    if event.sequence_number == 1 and current_delivery().attempt == 1:
        reached.set()
        assert go_on.wait(30)


def pause():
    operations.pause(NAME, **WHO)


def reset():
    operations.reset(NAME, to=Start.NOW, **WHO)


@pytest.mark.postgresql
@pytest.mark.parametrize("operation", [pause, reset])
def test_a_worker_in_the_middle_of_a_batch_commits_nothing_after(operation):
    """On SQLite the operator waits for the batch: there is one writer."""
    reached, go_on, stop = new_event(), new_event(), new_event()
    handler = partial(waits, reached=reached, go_on=go_on)
    first, *_, last = event_store().append(cart(1), items(3)).positions
    subscribed(handler, lanes=1)
    with running(work, stop, handler, {"lanes": 1}):
        assert reached.wait(30)
        operation()
        go_on.set()
        eventually(lambda: Lane.objects.get().token is None)
        after = Lane.objects.values("position", "handled", "attempted_to", "failed_attempts").get()
        stop.set()
    assert Effect.objects.count() == 0
    assert FailedEvent.objects.count() == 0
    position = after.pop("position")
    assert position == last if operation is reset else position < first
    assert after == {"handled": 0, "attempted_to": None, "failed_attempts": 0}


@pytest.mark.postgresql
def test_after_a_pause_in_the_middle_the_whole_batch_is_handled_once():
    reached, go_on, stop = new_event(), new_event(), new_event()
    handler = partial(waits, reached=reached, go_on=go_on)
    event_store().append(cart(1), items(3))
    subscribed(handler, lanes=1)
    with running(work, stop, handler, {"lanes": 1}):
        assert reached.wait(30)
        pause()
        go_on.set()
        operations.resume(NAME, actor="ann")
        eventually(lambda: Effect.objects.count() == 3)
        stop.set()
    assert effects() == [("cart-1", 0), ("cart-1", 1), ("cart-1", 2)]
    assert Lane.objects.get().crashes == 0


def waits_when_retried(event, *, reached, go_on):
    leave_effect(event)
    retried = OperatorAction.objects.filter(action="retry", details__event_id=str(event.event_id))
    if not retried.exists():
        raise ValueError("no good")
    reached.set()
    assert go_on.wait(30)


@pytest.mark.postgresql
def test_a_retry_that_loses_its_lane_to_an_operator_keeps_its_attempts():
    reached, go_on, stop = new_event(), new_event(), new_event()
    handler = partial(waits_when_retried, reached=reached, go_on=go_on)
    subscribed(handler, lanes=1)
    for number in (1, 2):
        event_store().append(cart(number), items(1))
    with running(work, stop, handler, {"lanes": 1}):
        eventually(lambda: find(status="dead").count() == 2)
        first, second = choose(find())
        dead_letters.retry([first], **WHO)
        assert reached.wait(30)
        assert dead_letters.discard([second], **WHO).done == (second.id,)
        go_on.set()
        eventually(lambda: not FailedEvent.objects.exists() or find(status="dead").exists())
        stop.set()
    assert effects() == [("cart-1", 0)]
    assert Lane.objects.get().crashes == 0


def acquires_the_lane():
    return lanes.acquire(subscribed(lanes=1), 0, 1) is not None


@pytest.mark.postgresql
def test_a_worker_does_not_wait_for_a_pause_and_does_not_get_the_lane():
    lanes.ensure_rows([subscribed(lanes=1)], event_store())
    with transaction.atomic():
        operations.pause(NAME, **WHO)
        assert OtherProcess(acquires_the_lane).result() is False

    assert OtherProcess(acquires_the_lane).result() is False
    assert Lane.objects.get().token is None


def test_who_got_the_lane_just_before_a_pause_begins_nothing():
    subscription = subscribed(lanes=1)
    lanes.ensure_rows([subscription], event_store())
    lease = lanes.acquire(subscription, 0, 1)
    assert lease is not None
    SubscriptionState.objects.update(status=SubscriptionState.Status.PAUSED)

    with pytest.raises(LeaseLost):
        lease.begin(1, passed_over=0)
    with pytest.raises(LeaseLost):
        lease.hold()
