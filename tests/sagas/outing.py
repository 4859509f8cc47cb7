"""A choreography of the tests' own: a room, then a car from another system, or none of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import connection

from events.aggregates import EventSourcedAggregate
from events.command_bus import command_bus
from events.exceptions import CommandRefused
from events.messages import Command, DomainEvent
from events.recorded_event import RecordedEvent
from events.registry import command, event
from events.store.configured import event_store
from events.streams import StreamName
from sagas.choreography import Choreography, DeclaredReaction, reacts_to

OUTING = UUID(int=21)


@event("tests.OutingPlanned")
class OutingPlanned(DomainEvent):
    pass


@event("tests.OutingCalledOff")
class OutingCalledOff(DomainEvent):
    pass


@event("tests.RoomHeld")
class RoomHeld(DomainEvent):
    outing_id: UUID


@event("tests.RoomRefused")
class RoomRefused(DomainEvent):
    outing_id: UUID


@event("tests.RoomFreed")
class RoomFreed(DomainEvent):
    outing_id: UUID


@event("tests.CarRented")
class CarRented(DomainEvent):
    outing_id: UUID


@event("tests.CarRefused")
class CarRefused(DomainEvent):
    outing_id: UUID


@event("tests.CarReturned")
class CarReturned(DomainEvent):
    outing_id: UUID


@event("tests.OutingBegun")
class OutingBegun(DomainEvent):
    pass


@command("tests.HoldRoom")
class HoldRoom(Command):
    outing_id: UUID


@command("tests.FreeRoom")
class FreeRoom(Command):
    outing_id: UUID


@command("tests.RentCar")
class RentCar(Command):
    outing_id: UUID


@command("tests.ReturnCar")
class ReturnCar(Command):
    outing_id: UUID


@command("tests.BeginOuting")
class BeginOuting(Command):
    outing_id: UUID


@command("tests.CallOffOuting")
class CallOffOuting(Command):
    outing_id: UUID


class Outing(EventSourcedAggregate):
    aggregate_type = "Outing"
    ignored_events = frozenset(
        {OutingPlanned, OutingCalledOff, OutingBegun, RoomHeld, RoomRefused, RoomFreed}
    ) | {CarRented, CarRefused, CarReturned}


class NotToday(CommandRefused):
    code = "not_today"


class Script:
    """What the handlers do instead of answering well, and how often they were called."""

    def __init__(self) -> None:
        self.instead: dict[type[Command], Callable[[UUID], object]] = {}
        self.calls: list[str] = []
        self.asked_in_transaction: list[bool] = []

    def act(self, sent: Any, answer: DomainEvent, aggregate_type: str) -> None:
        self.calls.append(type(sent).__name__)
        instead = self.instead.get(type(sent))
        if instead is not None:
            found = instead(sent.outing_id)
            if found is None:
                return
            answer = found  # type: ignore[assignment]
        event_store().append(StreamName(aggregate_type, sent.outing_id), [answer])


script = Script()


def _handle(command_class: Any, answer: Callable[[UUID], DomainEvent], aggregate_type: str) -> None:
    def handler(sent: Any) -> None:
        script.act(sent, answer(sent.outing_id), aggregate_type)

    command_bus.register(command_class, handler)


def _ask_first(
    command_class: Any, answer: Callable[[UUID], DomainEvent], aggregate_type: str
) -> None:
    def handler(sent: Any, outcome: None) -> None:
        script.act(sent, answer(sent.outing_id), aggregate_type)

    def ask(sent: Any) -> None:
        script.calls.append(f"ask {type(sent).__name__}")
        script.asked_in_transaction.append(connection.in_atomic_block)

    command_bus.register(command_class, handler, ask=ask)


_handle(HoldRoom, lambda key: RoomHeld(outing_id=key), "Room")
_handle(FreeRoom, lambda key: RoomFreed(outing_id=key), "Room")
_ask_first(RentCar, lambda key: CarRented(outing_id=key), "Car")
_ask_first(ReturnCar, lambda key: CarReturned(outing_id=key), "Car")
_handle(BeginOuting, lambda key: OutingBegun(), "Outing")
_handle(CallOffOuting, lambda key: OutingCalledOff(), "Outing")


def key_of(recorded: RecordedEvent) -> UUID:
    return getattr(recorded.event, "outing_id", None) or UUID(recorded.aggregate_id)


def call_off(key: str) -> CallOffOuting:
    return CallOffOuting(outing_id=UUID(key))


@reacts_to(OutingPlanned, emits=[RoomHeld, RoomRefused], within_seconds=60, otherwise=call_off)
def hold_room(planned: RecordedEvent) -> HoldRoom:
    return HoldRoom(outing_id=key_of(planned))


@reacts_to(RoomHeld, emits=[CarRented, CarRefused], within_seconds=600, otherwise=call_off)
def rent_car(held: RecordedEvent) -> RentCar:
    return RentCar(outing_id=key_of(held))


@reacts_to(CarRented, emits=[OutingBegun], within_seconds=60)
def begin(rented: RecordedEvent) -> BeginOuting:
    return BeginOuting(outing_id=key_of(rented))


@reacts_to(RoomRefused, CarRefused, emits=[OutingCalledOff], within_seconds=60)
def give_up(refused: RecordedEvent) -> CallOffOuting:
    return CallOffOuting(outing_id=key_of(refused))


@reacts_to(OutingCalledOff, emits=[RoomFreed], undoes=[RoomHeld], within_seconds=60)
def free_room(called_off: RecordedEvent) -> FreeRoom:
    return FreeRoom(outing_id=key_of(called_off))


@reacts_to(OutingCalledOff, emits=[CarReturned], undoes=[CarRented], within_seconds=60)
def return_car(called_off: RecordedEvent) -> ReturnCar:
    return ReturnCar(outing_id=key_of(called_off))


class Parts(Choreography):
    """What the processes of the tests are put together from."""

    key = "outing_id"
    starts_on = OutingPlanned
    completed_by = (OutingBegun,)
    turned_back_by = (OutingCalledOff,)
    failures = (RoomRefused, CarRefused)

    room = hold_room
    car = rent_car
    begin = begin
    give_up = give_up
    free_room = free_room
    return_car = return_car


def plan_outing(outing_id: UUID = OUTING) -> None:
    event_store().append(StreamName("Outing", outing_id), [OutingPlanned()])


def variant(**changes: Any) -> Any:
    """The process with other parts: None takes one away."""
    return type("TestOuting", (Parts,), {"saga_type": "TestOuting", **changes})


def changed(declared: DeclaredReaction, **options: Any) -> DeclaredReaction:
    return replace(declared, options=declared.options | options)
