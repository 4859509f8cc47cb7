"""Which sagas a recorded event is for: by what its sender put on it, its cause, or its key."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from events.context import message_context
from events.exceptions import InvalidInput
from events.messages import DomainEvent
from events.recorded_event import RecordedEvent
from events.registry import event
from events.store.memory import MemoryEventStore
from events.streams import StreamName
from sagas.correlation import awaited_event_types, deliveries, sending_context
from sagas.exceptions import AmbiguousAnswer
from sagas.identity import Direction, message_id_for, saga_id_for
from sagas.inputs import Answered, Started
from sagas.registry import Definitions
from sagas.step import STREAM_ID
from sagas.testing import answered, given, handled, started

from .shop import (
    HOLD,
    ORDER,
    ChargeCard,
    HastyTrip,
    SeatHeld,
    Trip,
    booked,
    charged,
    of_order,
    variant,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)
TRIP, HASTY = saga_id_for("TestTrip", str(ORDER)), saga_id_for("TestHastyTrip", str(ORDER))


@pytest.fixture
def known() -> Definitions:
    both = Definitions()
    both.register(Trip.plan)
    both.register(HastyTrip.plan)
    return both


def recorded(new: DomainEvent, stream_id: str = "12", **context: str) -> RecordedEvent:
    store, stream = MemoryEventStore(), StreamName("Seats", stream_id)
    with message_context(**context):
        store.append(stream, [new])
    [event] = store.read_stream(stream)
    return event


def test_an_event_starts_each_saga_that_starts_on_it(known):
    start = recorded(booked())
    found = deliveries(start, NOW, known)
    assert [delivery.saga_id for delivery in found] == [TRIP, HASTY]
    assert found[0].given == Started(
        message=booked(), message_id=start.event_id, key=str(ORDER), at=NOW
    )


def test_only_the_newest_version_starts_on_it(known):
    known.register(variant(version=2, starts_on=ChargeCard).plan)
    assert [found.saga_id for found in deliveries(recorded(booked()), NOW, known)] == [HASTY]


def test_an_answer_goes_to_the_saga_whose_command_was_being_handled(known):
    cause = str(message_id_for(HASTY, "hold", Direction.DO, 1))
    answer = recorded(of_order(SeatHeld), causation_id=cause, **sending_context(HASTY))
    [delivery] = deliveries(answer, NOW, known)
    assert delivery.saga_id == HASTY
    assert delivery.given == Answered(event=of_order(SeatHeld), causation_id=cause, at=NOW)


def test_an_answer_without_its_cause_goes_to_the_sagas_of_its_key(known):
    found = deliveries(recorded(charged()), NOW, known)
    assert [delivery.saga_id for delivery in found] == [TRIP, HASTY]


def test_an_event_that_is_no_answer_to_anybody_is_for_nobody(known):
    """As when a seat is held by hand: its step names no reply_key."""
    assert deliveries(recorded(of_order(SeatHeld)), NOW, known) == []


def test_what_another_kind_of_saga_asked_for_is_for_that_one_alone(known):
    answer = recorded(of_order(SeatHeld), **sending_context("Elsewhere:1"))
    assert deliveries(answer, NOW, known) == []


def test_the_key_can_be_the_id_of_the_stream():
    known = Definitions()
    known.register(variant(hold=replace(HOLD, reply_key=STREAM_ID)).plan)
    [delivery] = deliveries(recorded(of_order(SeatHeld), stream_id="77"), NOW, known)
    assert delivery.saga_id == "TestTrip:77"


def test_an_event_with_an_empty_key_is_refused_by_its_field():
    @event("tests.Nothing")
    class Nothing(DomainEvent):
        order_id: str

    known = Definitions()
    hold = replace(HOLD, on_success=Nothing, on_rejection=None, reply_key="order_id")
    known.register(variant(hold=hold).plan)
    with pytest.raises(InvalidInput, match="order_id: Nothing has no key here"):
        deliveries(recorded(Nothing(order_id="")), NOW, known)


def test_what_is_awaited_can_be_subscribed_to(known):
    names = awaited_event_types(known)
    assert {"tests.TripBooked", "tests.SeatHeld", "tests.CardDeclined"} <= set(names)
    assert "tests.ItemAdded" not in names


def test_the_cause_tells_two_steps_apart_that_wait_for_the_same_event():
    definition = variant(hold=HOLD, again=HOLD, charge=None, issue=None, confirm=None)
    held = answered(of_order(SeatHeld))
    asked = given(definition, started(booked()), handled("look_up")).when(held)
    assert [event.step for event in asked.events] == ["hold", "again"]
    unknown = answered(of_order(SeatHeld), caused=False)
    asked.when(unknown).then_refused(AmbiguousAnswer)


def test_where_nothing_is_defined_nothing_is_awaited():
    assert deliveries(recorded(booked()), NOW, Definitions()) == []
    assert awaited_event_types(Definitions()) == []
