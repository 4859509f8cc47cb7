"""A clock that stands still and is moved by hand: what is due by it fires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from events.bus.retry import RetryPolicy
from events.bus.subscription import subscribe
from events.delivery.draining import drain
from events.exceptions import Unavailable
from events.store.configured import event_store
from events.streams import StreamName
from sagas.clock import database_time
from sagas.models import SagaInstance
from sagas.testing.clock import stopped_clock
from tests.factories import MOMENT, cart, items

from .outing import OUTING, RentCar, plan_outing, script, variant
from .trips import charging, waiting

pytestmark = pytest.mark.django_db

MIDNIGHT = datetime(2030, 1, 1, tzinfo=UTC)


def last_of(saga_id: str) -> str:
    return list(event_store().read_stream(StreamName("Saga", saga_id)))[-1].event_type


def test_it_stands_still_until_it_is_moved_and_time_goes_on_afterwards():
    with stopped_clock(MIDNIGHT) as clock:
        assert database_time() == clock.now == MIDNIGHT
        clock.advance(5, minutes=1)
        assert database_time() == MIDNIGHT + timedelta(seconds=65)
    assert abs(database_time() - datetime.now(UTC)) < timedelta(minutes=1)


def test_time_goes_on_after_an_error():
    with pytest.raises(ZeroDivisionError), stopped_clock(MIDNIGHT):
        1 / 0  # noqa: B018
    assert database_time() != MIDNIGHT


def test_one_within_another_leaves_that_where_it_was():
    with stopped_clock(MIDNIGHT) as outer:
        with stopped_clock() as inner:
            assert inner.now == MIDNIGHT
            inner.advance(5)
        assert outer.now == MIDNIGHT


def test_it_does_not_go_back():
    with stopped_clock() as clock, pytest.raises(ValueError, match="doesn't go back"):
        clock.advance(-1)


def test_a_retry_is_made_when_its_time_has_come():
    with stopped_clock(MOMENT) as clock:
        saga_id = waiting()
        drain("sagas.commands")
        assert last_of(saga_id) == "SagaStepRetryScheduled"
        clock.advance(5)
        drain()
        assert last_of(saga_id) == "SagaStepRequested"


def test_a_time_out_fires_at_its_moment_and_not_before():
    with stopped_clock(MOMENT) as clock:
        saga_id = charging()
        clock.advance(59)
        drain()
        assert last_of(saga_id) == "SagaStepRequested"
        clock.advance(1)
        drain()
        assert last_of(saga_id) == "SagaStepRetryScheduled"


def test_it_goes_to_the_next_moment_at_which_something_is_due():
    with stopped_clock(MOMENT) as clock:
        assert not clock.advance_to_next()
        charging()
        assert clock.advance_to_next()
        assert clock.now == MOMENT + timedelta(seconds=10)  # looking up the fare


def test_a_deadline_of_a_choreography_fires_by_it(choreographed):
    variant()
    script.instead[RentCar] = lambda key: None
    plan_outing()
    with stopped_clock() as clock:
        drain()
        clock.advance(minutes=10)
        drain()
    assert SagaInstance.objects.get(key=str(OUTING)).status == "compensated"


def test_what_an_event_handler_has_failed_at_is_tried_again_by_it(no_other_subscriptions):
    attempts: list[UUID] = []

    def fail_twice(recorded):
        attempts.append(recorded.event_id)
        if len(attempts) < 3:
            raise Unavailable("away")

    in_an_hour = RetryPolicy(first_delay_seconds=3600, max_delay_seconds=3600, jitter=0)
    subscribe("*", fail_twice, name="tests.failing", retry=in_an_hour)
    event_store().append(cart(1), items(1))
    with stopped_clock() as clock:
        drain(raise_errors=False)
        clock.advance(minutes=59)
        drain(raise_errors=False)
        assert len(attempts) == 1
        clock.advance(minutes=1)
        drain(raise_errors=False)
        assert len(attempts) == 2
        clock.run_to_end()
    assert len(attempts) == 3


def test_what_has_no_end_is_not_waited_for(no_other_subscriptions):
    def fail(recorded):
        raise Unavailable("away")

    subscribe("*", fail, name="tests.failing")
    event_store().append(cart(1), items(1))
    with stopped_clock() as clock, pytest.raises(AssertionError, match="no end"):
        clock.run_to_end(most_moments=3)
