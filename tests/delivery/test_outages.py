"""Handlers that say that what they need is out of reach; batches with effects elsewhere."""

from __future__ import annotations

import pytest

from events.bus.retry import RetryPolicy
from events.bus.subscription import Effects
from events.delivery.draining import drain
from events.exceptions import DrainFailed, Outage
from events.models import FailedEvent, Lane
from tests.factories import cart, items

pytestmark = pytest.mark.django_db(transaction=True)

TWO_ATTEMPTS = RetryPolicy(attempts=2, first_delay_seconds=3600, max_delay_seconds=3600)


class Elsewhere:
    """Another system, and the batches that it got."""

    def __init__(self) -> None:
        self.is_down = False
        self.bad = None
        self.got: list[list[tuple[str, int]]] = []

    def __call__(self, events):
        batch = [(each.aggregate_id, each.sequence_number) for each in events]
        if self.is_down:
            raise Outage("gone")
        if self.bad in batch:
            raise ValueError("no good")
        self.got.append(batch)


@pytest.fixture
def elsewhere(subscribed):
    system = Elsewhere()
    subscribed(
        handler=system,
        in_batches=True,
        effects=Effects.EXTERNAL,
        retry=TWO_ATTEMPTS,
        batch_size=3,
    )
    return system


def test_batches_go_elsewhere_in_one_call(store, elsewhere):
    store.append(cart(1), items(4))

    assert drain().handled == 4

    assert [len(batch) for batch in elsewhere.got] == [3, 1]


def test_one_that_fails_is_found_and_the_others_go_on(store, elsewhere):
    elsewhere.bad = ("cart-2", 0)
    store.append(cart(1), items(1))
    store.append(cart(2), items(1))
    store.append(cart(3), items(1))

    drain(raise_errors=False)

    assert elsewhere.got == [[("cart-1", 0)], [("cart-3", 0)]]
    assert FailedEvent.objects.get().aggregate_id == "cart-2"


@pytest.mark.parametrize("count", [1, 3])
def test_an_outage_counts_for_no_event_however_long_it_takes(store, elsewhere, count):
    elsewhere.is_down = True
    store.append(cart(1), items(count))

    with pytest.raises(DrainFailed) as caught:
        drain()
    for _ in range(5):
        drain(retries=True, raise_errors=False)

    assert isinstance(caught.value.__cause__, Outage)
    lane = Lane.objects.get()
    assert (lane.failed_attempts, lane.outages) == (0, 6)
    assert lane.position < next(store.read_log()).position
    assert lane.attempted_to is None
    assert not FailedEvent.objects.exists()
    elsewhere.is_down = False
    assert drain(retries=True).handled == count


def test_while_it_backs_off_nobody_tries(store, elsewhere):
    elsewhere.is_down = True
    store.append(cart(1), items(1))
    drain(raise_errors=False)
    elsewhere.is_down = False

    assert drain().handled == 0
    assert Lane.objects.get().not_before is not None


def test_a_retry_that_meets_an_outage_keeps_its_attempts(store, elsewhere):
    elsewhere.bad = ("cart-1", 0)
    store.append(cart(1), items(1))
    drain(raise_errors=False)
    elsewhere.bad, elsewhere.is_down = None, True

    for _ in range(3):
        drain(retries=True, raise_errors=False)

    row = FailedEvent.objects.get()
    assert (row.status, row.attempts) == ("retrying", 1)
    elsewhere.is_down = False
    assert drain(retries=True).handled == 1
    assert not FailedEvent.objects.exists()
