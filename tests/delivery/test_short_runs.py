"""A few new events for lanes that stand where they stood: what that costs, and that it is safe."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from events.bus.subscription import Effects
from events.delivery import chores
from events.delivery import worker as worker_module
from events.delivery.claims import Attempt
from events.delivery.draining import drain
from events.delivery.engine import LaneRun
from events.delivery.lanes import acquire
from events.delivery.worker import Worker
from events.exceptions import LeaseLost
from events.models import FailedEvent, Lane, SubscriptionState
from tests.delivery.conftest import effects
from tests.effects.models import leave_effect
from tests.factories import cart, item_added, item_removed, items

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(store):
    """Has seen all that there was."""
    store.append(cart(0), items(1))
    worker = Worker()

    def settled_worker():
        while worker.turn():
            pass
        worker.settle()
        return worker

    return settled_worker


def lane_statements(turn):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        turn()
    return [
        query["sql"] for query in queries if "UPDATE" in query["sql"] and "lanes" in query["sql"]
    ]


def fail_at_cart_1(event):
    if event.aggregate_id == "cart-1":
        raise ValueError("no good")
    leave_effect(event)


@pytest.mark.postgresql
def test_a_run_costs_a_claim_and_a_checkpoint(store, subscribed, worker):
    subscribed()
    worker = worker()
    store.append(cart(1), items(2))

    assert len(lane_statements(worker.turn)) == 2
    lane = Lane.objects.get()
    assert (lane.position, lane.token) == (store.high_water_mark(), None)
    assert effects() == [("cart-0", 0), ("cart-1", 0), ("cart-1", 1)]


@pytest.mark.parametrize(
    "options",
    [
        {"pattern": "tests.ItemAdded"},
        {"filter": lambda event: event.event_type == "tests.ItemAdded"},
    ],
)
def test_events_that_are_not_for_it_cost_a_lane_nothing(store, subscribed, worker, options):
    subscribed(**options)
    worker = worker()
    store.append(cart(1), [item_removed()])

    assert lane_statements(worker.turn) == []
    worker.settle()
    assert Lane.objects.get().position == store.high_water_mark()


def test_events_of_other_lanes_cost_a_lane_nothing(store, subscribed, worker):
    subscribed(lanes=8)
    worker = worker()
    store.append(cart(1), items(1))
    untouched = {lane.pk: lane.updated_at for lane in Lane.objects.all()}

    worker.turn()

    touched = [lane for lane in Lane.objects.all() if lane.updated_at != untouched[lane.pk]]
    assert len(touched) == 1
    assert effects()[1:] == [("cart-1", 0)]


def test_what_has_failed_elsewhere_meanwhile_is_waited_for(store, subscribed, worker):
    subscribed(handler=fail_at_cart_1)
    worker = worker()
    store.append(cart(1), items(1))
    drain(raise_errors=False)
    store.append(cart(1), items(1))
    store.append(cart(2), items(1))

    worker.turn()

    assert effects() == [("cart-0", 0), ("cart-2", 0)]
    assert FailedEvent.objects.get().sequence_number == 0


def test_a_lane_that_others_have_moved_on_is_not_moved_back(store, subscribed, worker):
    subscribed()
    worker = worker()
    store.append(cart(1), items(2))
    worker.turn()
    store.append(cart(1), items(1))
    drain()
    store.append(cart(1), items(1))

    worker.turn()

    assert effects()[1:] == [("cart-1", number) for number in range(4)]


def test_a_failure_is_counted_once(store, subscribed, worker):
    subscribed(handler=fail_at_cart_1)
    worker = worker()
    store.append(cart(1), items(1))

    worker.turn()

    assert FailedEvent.objects.get().attempts == 1
    assert Lane.objects.get().failed_attempts == 1


def test_an_event_of_several_that_fails_lets_the_others_pass(store, subscribed, worker):
    subscribed(handler=fail_at_cart_1)
    worker = worker()
    store.append(cart(2), items(1))
    store.append(cart(1), items(1))
    store.append(cart(3), items(1))

    worker.turn()

    assert effects() == [("cart-0", 0), ("cart-2", 0), ("cart-3", 0)]
    assert FailedEvent.objects.get().attempts == 1


def test_an_attempt_is_begun_only_where_the_lane_stands(store, subscribed, worker):
    subscription = subscribed()
    worker()
    stands_at = Lane.objects.get().position
    attempt = Attempt(checkpoint=stands_at - 1, passed_over=stands_at, attempted_to=stands_at + 1)

    assert acquire(subscription, 0, 1, attempt=attempt) is None
    assert Lane.objects.get().attempted_to is None


def test_a_claim_that_has_missed_a_pause_commits_nothing(store, subscribed, worker):
    """It saw the subscription before that, and the lane after it."""
    subscription = subscribed()
    worker()
    stands_at = Lane.objects.get().position
    attempt = Attempt(checkpoint=stands_at, passed_over=stands_at, attempted_to=stands_at + 1)
    lease = acquire(subscription, 0, 1, attempt=attempt)
    SubscriptionState.objects.update(status=SubscriptionState.Status.PAUSED)

    with pytest.raises(LeaseLost), transaction.atomic():
        lease.checkpoint(stands_at + 1)
    with pytest.raises(LeaseLost):
        lease.confirm()


def test_what_is_done_to_other_systems_is_begun_by_itself(store, subscribed, worker):
    """A claim can have missed a pause, and this can't be rolled back."""
    subscribed(effects=Effects.EXTERNAL)
    worker = worker()
    store.append(cart(1), [item_added()])

    assert len(lane_statements(worker.turn)) == 3
    assert effects()[1:] == [("cart-1", 0)]


# --- what is kept of a look ahead ---


@pytest.fixture
def waiting(store, subscribed, monkeypatch):
    """A worker that knows of an event for a lane, and has left it for later."""
    monkeypatch.setattr(worker_module, "PATIENCE_SECONDS", 60)
    subscribed(name="urgent", handler=lambda event: None, priority=5)
    subscribed(name="other")
    waiting = Worker()
    waiting.turn()
    store.append(cart(1), items(2))
    waiting.turn()
    assert effects("other") == []
    return waiting


def test_a_look_ahead_that_fails_is_made_again(store, waiting, monkeypatch):
    store.append(cart(1), items(1))
    with monkeypatch.context() as patch:
        patch.setattr(type(store), "read_backlog", _lose_connection)
        with pytest.raises(OperationalError):
            waiting.turn()
    store.append(cart(1), items(1))

    while waiting.turn():
        pass

    assert effects("other") == [("cart-1", number) for number in range(4)]


def test_a_lane_that_can_not_be_run_keeps_no_other_waiting(store, subscribed, worker, monkeypatch):
    run = LaneRun.run

    def fail_if_bad(self, up_to):
        if self.subscription.name == "bad":
            raise RuntimeError("it can't be run")
        return run(self, up_to)

    subscribed(name="bad", priority=10)
    subscribed()
    worker = worker()
    monkeypatch.setattr(LaneRun, "run", fail_if_bad)
    store.append(cart(1), items(1))

    with pytest.raises(RuntimeError):
        worker.turn()
    while worker.turn():
        pass

    assert effects()[-1] == ("cart-1", 0)


def test_a_chore_that_fails_keeps_no_other_from_being_done(monkeypatch):
    done = []

    def fail():
        raise RuntimeError("it can't be done")

    monkeypatch.setattr(chores, "_chores", [fail, lambda: bool(done.append("the other"))])
    with pytest.raises(RuntimeError):
        chores.do_chores()

    assert done == ["the other"]


def test_what_is_known_beyond_a_mark_that_went_back_is_handled_once(store, waiting, monkeypatch):
    """An append announces itself where the log ended when it looked, which may be a while ago."""
    mark = store.high_water_mark()
    monkeypatch.setattr(worker_module, "PATIENCE_SECONDS", 0)
    with monkeypatch.context() as patch:
        patch.setattr(type(store), "high_water_mark", lambda store: mark - 1)
        while waiting.turn():
            pass
    while waiting.turn():
        pass

    assert effects("other") == [("cart-1", 0), ("cart-1", 1)]
    assert Lane.objects.get(subscription="other").position == mark


def test_an_event_that_waits_is_not_blamed_for_the_end_of_a_worker(store, subscribed, worker):
    subscription = subscribed(handler=fail_at_cart_1)
    worker()
    store.append(cart(1), items(1))
    drain(raise_errors=False)
    stands_at = Lane.objects.get().position
    store.append(cart(1), items(1))
    attempt = Attempt(checkpoint=stands_at, passed_over=stands_at, attempted_to=stands_at + 1)
    acquire(subscription, 0, 1, attempt=attempt).abandon()

    drain(raise_errors=False)

    row = FailedEvent.objects.get()
    assert (row.sequence_number, row.attempts) == (0, 1)
    lane = Lane.objects.get()
    assert (lane.position, lane.attempted_to, lane.crashes) == (store.high_water_mark(), None, 0)


def _lose_connection(*arguments, **options):
    raise OperationalError("the connection is lost")
