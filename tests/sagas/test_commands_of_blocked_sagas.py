"""What a blocked saga has asked for waits for its release; what was started twice blocks nobody."""

from __future__ import annotations

import dataclasses
from uuid import UUID

import pytest

from events.bus.subscription import Start, subscribe, subscriptions
from events.delivery.draining import drain
from events.exceptions import DrainFailed
from events.models import FailedEvent
from events.store.configured import event_store
from events.streams import StreamName
from sagas import operations
from sagas.blocking import block_sagas
from sagas.clock import database_time
from sagas.exceptions import SagaAlreadyStarted, SagaIsBlocked
from sagas.inbox import Inbox, follow_definitions
from sagas.inputs import Blocked
from sagas.models import SagaInstance
from sagas.registry import definitions
from sagas.running import give
from tests.orders.shop import ORDER, history, place, receive
from tests.sagas.shop import ORDER as TRIP
from tests.sagas.shop import charged, variant
from tests.sagas.trips import charging

pytestmark = pytest.mark.django_db(transaction=True)

INBOX = "sagas.OrderProcessing"
SAGA = f"OrderProcessing:{ORDER}"


def status():
    return SagaInstance.objects.get().status


def test_a_command_that_comes_up_meanwhile_is_sent_after_the_release():
    receive(pen=5)
    place()
    drain(INBOX)
    give(SAGA, Blocked(input_id=UUID(int=1), reason="a bug", at=database_time()))

    with pytest.raises(DrainFailed) as caught:
        drain()

    assert isinstance(caught.value.__cause__, SagaIsBlocked)
    assert history("Reservation") == []
    operations.release(SAGA, operator="ann", reason="mended")
    drain(retries=True)
    assert status() == "completed"


def placed_again():
    """The same event in the order's stream once more, which no command would do."""
    [first, *_] = history("Order")
    again = dataclasses.replace(first.event, event_id=UUID(int=9))
    event_store().append(StreamName("Order", ORDER), [again])


@pytest.mark.parametrize(("drained", "before"), [((), "completed"), ((INBOX,), "running")])
def test_a_second_start_is_a_dead_letter_at_once_and_blocks_nobody(drained, before):
    receive(pen=5)
    place()
    drain(*drained)
    assert status() == before
    placed_again()

    with pytest.raises(DrainFailed) as caught:
        drain(INBOX)

    assert isinstance(caught.value.__cause__, SagaAlreadyStarted)
    assert FailedEvent.objects.get().status == "dead"
    assert status() == before


@pytest.mark.usefixtures("no_other_subscriptions")
@pytest.mark.parametrize(("saga_type", "after"), [("Other", "running"), ("TestTrip", "blocked")])
def test_what_one_kind_of_saga_cannot_take_in_blocks_no_other_kind(saga_type, after):
    saga_id = charging()
    event_store().append(StreamName("Card", TRIP), [charged()])
    [recorded] = event_store().read_stream(StreamName("Card", TRIP))
    inbox = Inbox(saga_type, definitions)
    subscription = subscribe("tests.CardCharged", inbox, name=f"sagas.{saga_type}")
    failed = FailedEvent(event_id=recorded.event_id, aggregate_id=recorded.aggregate_id)

    block_sagas(failed, subscription, ValueError("a bug"))

    assert SagaInstance.objects.get(pk=saga_id).status == after


@pytest.mark.usefixtures("no_other_subscriptions")
def test_a_definition_says_where_in_the_log_it_begins():
    plan = variant(start=Start.NOW).plan
    known = type("Known", (), {"__iter__": lambda self: iter([plan]), "latest": lambda *_: plan})()

    follow_definitions(known)

    assert subscriptions.get("sagas.TestTrip").start is Start.NOW
