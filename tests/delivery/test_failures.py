"""A handler fails: its effects are gone, it is called again, its stream waits, others don't."""

from __future__ import annotations

import time

import pytest
from django.db import transaction

from events.bus.retry import RetryPolicy
from events.bus.subscription import Effects, OnFailure
from events.delivery import engine
from events.delivery.context import current_delivery
from events.delivery.draining import drain
from events.delivery.engine import OUTAGE_STREAK, LaneRun
from events.delivery.lanes import acquire, ensure_rows
from events.exceptions import CommandRefused, DrainFailed
from events.models import FailedEvent, Lane, SubscriptionState
from events.signals import event_dead_lettered, handler_failed
from tests.delivery.conftest import THREE_ATTEMPTS, effects
from tests.effects.models import leave_effect
from tests.factories import cart, items

pytestmark = pytest.mark.django_db


class Fragile:
    """A handler that leaves its effect and then fails at these events, as long as it is told to."""

    def __init__(self, *bad):
        self.bad = set(bad)
        self.attempts = []

    def __call__(self, event):
        leave_effect(event)
        place = (event.aggregate_id, event.sequence_number)
        if place in self.bad:
            self.attempts.append((place, current_delivery().attempt))
            raise ValueError("no good")


def append_round_robin(store, *, streams, rounds):
    for _ in range(rounds):
        for number in range(1, streams + 1):
            store.append(cart(number), items(1))


@pytest.mark.parametrize("lanes", [1, 3])
@pytest.mark.parametrize("kind", list(Effects))
def test_a_failed_event_blocks_its_stream_and_no_other(store, subscribed, lanes, kind):
    fragile = Fragile(("cart-2", 1))
    subscribed(handler=fragile, lanes=lanes, effects=kind)
    append_round_robin(store, streams=3, rounds=4)

    drain(raise_errors=False)

    handled = effects()
    assert {place for place in handled if place[0] != "cart-2"} == {
        (f"cart-{number}", version) for number in (1, 3) for version in range(4)
    }
    assert ("cart-2", 2) not in handled
    row = FailedEvent.objects.get()
    assert (row.aggregate_id, row.sequence_number, row.attempts) == ("cart-2", 1, 1)
    assert (row.status, row.blocks) == ("retrying", True)
    assert (row.error_type, row.error_message) == ("ValueError", "no good")
    assert "in __call__" in row.traceback


def test_effects_of_a_failed_attempt_are_rolled_back(store, subscribed):
    subscribed(handler=Fragile(("cart-1", 1)))
    store.append(cart(1), items(3))

    drain(raise_errors=False)

    assert effects() == [("cart-1", 0)]


def test_what_waited_is_handled_after_the_retry_in_order(store, subscribed):
    fragile = Fragile(("cart-1", 1))
    subscribed(handler=fragile)
    store.append(cart(1), items(4))
    drain(raise_errors=False)
    store.append(cart(1), items(2))
    drain()
    fragile.bad.clear()

    assert drain(retries=True).handled == 5
    assert effects() == [("cart-1", number) for number in range(6)]
    assert not FailedEvent.objects.exists()
    store.append(cart(1), items(1))
    assert drain().handled == 1


def test_another_event_of_the_stream_can_fail_in_its_turn(store, subscribed):
    fragile = Fragile(("cart-1", 1), ("cart-1", 3))
    subscribed(handler=fragile)
    store.append(cart(1), items(5))
    drain(raise_errors=False)
    fragile.bad.remove(("cart-1", 1))

    drain(retries=True, raise_errors=False)

    assert effects() == [("cart-1", 0), ("cart-1", 1), ("cart-1", 2)]
    row = FailedEvent.objects.get()
    assert (row.sequence_number, row.status, row.attempts) == (3, "dead", 3)


def test_attempts_end_in_a_dead_letter(store, subscribed):
    fragile, dead = Fragile(("cart-1", 0)), []
    subscribed(handler=fragile)

    def note(**arguments):
        dead.append((arguments["failed_event"].event_id, arguments["subscription"].name))

    event_dead_lettered.connect(note)
    store.append(cart(1), items(1))

    tally = drain(retries=True, raise_errors=False)

    assert fragile.attempts == [(("cart-1", 0), 1), (("cart-1", 0), 2), (("cart-1", 0), 3)]
    assert (tally.failed, tally.dead_letters) == (3, 1)
    row = FailedEvent.objects.get()
    assert (row.status, row.attempts, row.next_attempt_at) == ("dead", 3, None)
    assert dead == [(row.event_id, "tests.effects")]
    assert effects() == []
    assert drain(retries=True).handled == 0


def test_a_retry_is_left_to_its_time(store, subscribed):
    fragile = Fragile(("cart-1", 0))
    subscribed(handler=fragile)
    store.append(cart(1), items(1))
    drain(raise_errors=False)

    assert drain().failed == 0
    FailedEvent.objects.update(next_attempt_at="2026-01-01T00:00:00Z")
    assert drain(raise_errors=False).failed == 1


def test_a_skipped_event_is_a_dead_letter_that_nothing_waits_for(store, subscribed):
    subscribed(handler=Fragile(("cart-1", 1)), on_failure=OnFailure.SKIP)
    store.append(cart(1), items(4))

    drain(retries=True, raise_errors=False)

    assert effects() == [("cart-1", 0), ("cart-1", 2), ("cart-1", 3)]
    row = FailedEvent.objects.get()
    assert (row.sequence_number, row.status, row.blocks) == (1, "dead", False)


def test_a_subscription_can_stop_at_what_it_cannot_handle(store, subscribed):
    subscribed(
        handler=Fragile(("cart-1", 1)),
        on_failure=OnFailure.STOP,
        retry=RetryPolicy(attempts=1),
    )
    store.append(cart(1), items(2))
    store.append(cart(2), items(2))

    drain(raise_errors=False)

    assert effects() == [("cart-1", 0)]
    state = SubscriptionState.objects.get()
    assert state.status == "stopped"
    assert "ValueError" in state.reason
    assert drain().handled == 0


def test_a_filter_that_raises_is_a_failure_of_its_event(store, subscribed):
    subscribed(filter=lambda event: 1 / (event.sequence_number - 1) < 2)
    append_round_robin(store, streams=2, rounds=3)

    with pytest.raises(DrainFailed) as caught:
        drain()

    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert effects() == [("cart-1", 0), ("cart-2", 0)]
    assert FailedEvent.objects.count() == 2


def test_a_failed_batch_is_repeated_one_by_one(store, subscribed):
    sizes = []

    def handle(events):
        sizes.append(len(events))
        for event in events:
            leave_effect(event)
            if event.aggregate_id == "cart-2":
                raise ValueError("no good")

    subscribed(handler=handle, in_batches=True)
    append_round_robin(store, streams=3, rounds=2)

    drain(raise_errors=False)

    assert sizes[0] == 6
    assert set(sizes[1:]) == {1}
    assert effects() == [("cart-1", 0), ("cart-3", 0), ("cart-1", 1), ("cart-3", 1)]


def test_a_handler_that_takes_too_long_is_cut_off_and_rolled_back(store, subscribed):
    def handle(event):
        leave_effect(event)
        if event.sequence_number == 1:
            time.sleep(20)

    subscribed(handler=handle, timeout_seconds=0.1)
    store.append(cart(1), items(3))
    store.append(cart(2), items(1))

    drain(raise_errors=False)

    assert effects() == [("cart-1", 0), ("cart-2", 0)]
    row = FailedEvent.objects.get()
    assert row.error_type == "events.exceptions.HandlerTimeout"
    assert Lane.objects.get().timeouts == 1


def test_an_external_handler_gets_the_same_key_in_each_attempt(store, subscribed):
    keys = []

    def handle(event):
        keys.append((current_delivery().idempotency_key, current_delivery().attempt))
        if len(keys) < 3:
            raise ConnectionError

    subscribed(handler=handle, effects=Effects.EXTERNAL)
    [event] = items(1)
    store.append(cart(1), [event])

    drain(retries=True, raise_errors=False)

    assert keys == [(f"tests.effects:{event.event_id}", attempt) for attempt in (1, 2, 3)]
    assert not FailedEvent.objects.exists()


def test_who_listens_hears_of_each_failed_attempt(store, subscribed):
    heard = []

    def listen(**arguments):
        heard.append((arguments["event"].sequence_number, arguments["attempt"]))
        raise RuntimeError("a listener's own error is its own affair")

    handler_failed.connect(listen)
    subscribed(handler=Fragile(("cart-1", 0)))
    store.append(cart(1), items(1))

    drain(retries=True, raise_errors=False)

    assert heard == [(0, 1), (0, 2), (0, 3)]


class Untold(Exception):
    def __str__(self):
        raise RuntimeError

    def __eq__(self, other):
        raise RuntimeError

    def __hash__(self):
        raise RuntimeError


def in_a_circle():
    error = ValueError("a")
    error.__cause__ = KeyError("b")
    error.__cause__.__cause__ = error
    return error


def with_odd_text():
    return ValueError("\0 \ud800")


@pytest.mark.parametrize("make", [Untold, in_a_circle, with_odd_text])
def test_any_error_can_be_recorded(store, subscribed, make):
    def handle(event):
        raise make()

    subscribed(handler=handle)
    store.append(cart(1), items(1))

    assert drain(raise_errors=False).failed == 1
    assert FailedEvent.objects.get().error_type.endswith(type(make()).__name__)


@pytest.mark.parametrize("batch_size", [1, 10])
def test_what_fails_after_the_commit_repeats_nothing(
    store, subscribed, transactional_db, batch_size
):
    def handle(event):
        transaction.on_commit(lambda: 1 / 0)
        leave_effect(event)

    subscribed(handler=handle, batch_size=batch_size)
    store.append(cart(1), items(3))

    assert drain().handled == 3
    assert effects() == [("cart-1", 0), ("cart-1", 1), ("cart-1", 2)]
    assert not FailedEvent.objects.exists()


# --- outages ---


def test_when_stream_after_stream_fails_the_lane_backs_off(store, subscribed):
    fragile = Fragile(*((f"cart-{number}", 0) for number in range(1, 21)))
    subscribed(handler=fragile)
    append_round_robin(store, streams=20, rounds=1)

    drain(raise_errors=False)

    assert FailedEvent.objects.count() == OUTAGE_STREAK - 1
    lane = Lane.objects.get()
    assert (lane.outages, lane.handled) == (1, 0)
    assert lane.not_before is not None
    assert drain().failed == 0  # backs off


def test_after_an_outage_one_event_is_tried_at_a_time(store, subscribed):
    fragile = Fragile(*((f"cart-{number}", 0) for number in range(1, 21)))
    subscribed(handler=fragile)
    append_round_robin(store, streams=20, rounds=1)
    drain(raise_errors=False)
    failed = OUTAGE_STREAK - 1
    for outages in (2, 3, 4):
        Lane.objects.update(not_before=None)
        assert drain(raise_errors=False).failed == 1
        assert Lane.objects.get().outages == outages
        failed += 1
        assert FailedEvent.objects.count() == failed
    fragile.bad.clear()
    Lane.objects.update(not_before=None)

    assert drain().handled == 20 - failed
    assert Lane.objects.get().outages == 0
    assert drain(retries=True).handled == failed
    assert len(set(effects())) == len(effects()) == 20


def test_streams_that_always_fail_do_not_hold_up_the_others_for_ever(store, subscribed):
    bad = range(1, OUTAGE_STREAK + 4)
    subscribed(handler=Fragile(*((f"cart-{number}", 0) for number in bad)))
    append_round_robin(store, streams=20, rounds=1)

    for _ in bad:
        Lane.objects.update(not_before=None)
        drain(raise_errors=False)

    assert FailedEvent.objects.count() == len(bad)
    assert len(effects()) == 20 - len(bad)
    assert Lane.objects.get().outages == 0


def test_a_lane_is_kept_on_a_long_way_past_events_that_are_not_for_it(
    store, subscribed, monkeypatch
):
    monkeypatch.setattr(engine, "WINDOW", 5)
    subscription = subscribed("tests.ItemRemoved")
    ensure_rows([subscription], store)
    last = store.append(cart(1), items(20)).positions[-1]
    lease = acquire(subscription, 0, 1)
    assert lease is not None
    lease.seconds = 0

    LaneRun(subscription=subscription, lease=lease, store=store).run(last)

    lane = Lane.objects.get()
    assert 0 < lane.position < last
    assert lane.token == lease.row.token


def test_failures_with_successes_between_them_are_no_outage(store, subscribed):
    subscribed(handler=Fragile(*((f"cart-{number}", 0) for number in range(1, 21, 2))))
    append_round_robin(store, streams=20, rounds=1)

    drain(raise_errors=False)

    assert FailedEvent.objects.count() == 10
    assert Lane.objects.get().outages == 0


def test_a_subscription_can_go_on_to_other_streams_whatever_has_failed(store, subscribed):
    fragile = Fragile(*((f"cart-{number}", 0) for number in range(1, 20)))
    subscribed(handler=fragile, backs_off=False)
    append_round_robin(store, streams=20, rounds=1)

    drain(raise_errors=False)

    assert FailedEvent.objects.count() == 19
    assert effects() == [("cart-20", 0)]
    assert Lane.objects.get().outages == 0


def test_what_no_attempt_can_help_is_a_dead_letter_at_once_and_no_sign_of_an_outage(
    store, subscribed
):
    def handle(event):
        if event.aggregate_id != "cart-20":
            raise CommandRefused("no")
        leave_effect(event)

    subscribed(handler=handle, retry=RetryPolicy(attempts=3, never_for=(CommandRefused,)))
    append_round_robin(store, streams=20, rounds=1)

    tally = drain(raise_errors=False)

    assert (tally.failed, tally.dead_letters) == (19, 19)
    assert set(FailedEvent.objects.values_list("status", "attempts")) == {("dead", 1)}
    assert effects() == [("cart-20", 0)]


def test_an_error_that_no_attempt_can_help_ends_the_retries_before_it(store, subscribed):
    errors = [ValueError("again"), CommandRefused("no")]

    def handle(event):
        raise errors[min(current_delivery().attempt, 2) - 1]

    subscribed(handler=handle, retry=RetryPolicy(attempts=9, never_for=(CommandRefused,)))
    store.append(cart(1), items(1))

    drain(retries=True, raise_errors=False)

    failed = FailedEvent.objects.get()
    assert (failed.status, failed.attempts) == ("dead", 2)


def test_failures_of_one_cause_are_a_group(store, subscribed):
    def handle(event):
        if event.sequence_number == 0:
            raise ValueError(f"this is {event.position}")
        int(event.aggregate_id)

    subscribed(handler=handle, retry=THREE_ATTEMPTS, on_failure=OnFailure.SKIP)
    append_round_robin(store, streams=3, rounds=2)

    drain(retries=True, raise_errors=False)

    groups = FailedEvent.objects.values_list("sequence_number", "fingerprint").distinct()
    assert len(groups) == 2
