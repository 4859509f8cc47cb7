"""A saga of the tests' own: five steps, a pivot, answers as events and as returns."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from events.bus.retry import RetryPolicy
from events.command_bus import command_bus
from events.messages import Command, DomainEvent
from events.registry import command, event
from sagas.definition import Orchestrator
from sagas.identity import Direction, effect_key_for
from sagas.registry import Definitions
from sagas.step import Compensation, Effect, Parallel, Step
from tests.factories import MOMENT

ORDER = UUID(int=7)
PAYMENT = UUID(int=8)


@event("tests.TripBooked")
class TripBooked(DomainEvent):
    order_id: UUID
    total: Decimal


@event("tests.SeatHeld")
class SeatHeld(DomainEvent):
    order_id: UUID


@event("tests.SeatSoldOut")
class SeatSoldOut(DomainEvent):
    order_id: UUID


@event("tests.SeatFreed")
class SeatFreed(DomainEvent):
    order_id: UUID


@event("tests.CardCharged")
class CardCharged(DomainEvent):
    order_id: UUID
    payment_id: UUID


@event("tests.CardDeclined")
class CardDeclined(DomainEvent):
    order_id: UUID


@event("tests.CardRefunded")
class CardRefunded(DomainEvent):
    order_id: UUID


@event("tests.RefundImpossible")
class RefundImpossible(DomainEvent):
    order_id: UUID


@event("tests.TicketIssued")
class TicketIssued(DomainEvent):
    order_id: UUID


@event("tests.TicketRefused")
class TicketRefused(DomainEvent):
    order_id: UUID


@command("tests.LookUpFare")
class LookUpFare(Command):
    order_id: UUID


@command("tests.HoldSeat")
class HoldSeat(Command):
    order_id: UUID
    effect_key: UUID


@command("tests.FreeSeat")
class FreeSeat(Command):
    order_id: UUID
    effect_key: UUID
    undoes: UUID


@command("tests.ChargeCard")
class ChargeCard(Command):
    order_id: UUID
    total: Decimal
    effect_key: UUID


@command("tests.RefundCard")
class RefundCard(Command):
    order_id: UUID
    #: None where the answer to the charge is not known.
    payment_id: UUID | None
    undoes: UUID


@command("tests.IssueTicket")
class IssueTicket(Command):
    order_id: UUID
    payment_id: UUID


@command("tests.VoidTicket")
class VoidTicket(Command):
    order_id: UUID


@command("tests.ConfirmTrip")
class ConfirmTrip(Command):
    order_id: UUID


@command("tests.CancelTrip")
class CancelTrip(Command):
    order_id: UUID


for command_class in (
    *(LookUpFare, HoldSeat, FreeSeat, ChargeCard),
    *(RefundCard, IssueTicket, VoidTicket, ConfirmTrip, CancelTrip),
):
    command_bus.register(command_class, lambda command: None)


@dataclass(frozen=True, kw_only=True)
class TripData:
    order_id: UUID
    total: Decimal
    payment_id: UUID | None = None


def refund(state: TripData, effect: Effect) -> RefundCard:
    assert effect.undoes is not None
    return RefundCard(order_id=state.order_id, payment_id=state.payment_id, undoes=effect.undoes)


TWICE = RetryPolicy(attempts=2, first_delay_seconds=5, max_delay_seconds=60)

LOOK_UP = Step(command=LookUpFare, effect_free=True, timeout_seconds=10)
HOLD = Step(
    command=HoldSeat,
    on_success=SeatHeld,
    on_rejection=SeatSoldOut,
    compensation=Compensation(
        command=FreeSeat, on_success=SeatFreed, timeout_seconds=30, retry=TWICE
    ),
    timeout_seconds=30,
    retry=TWICE,
)
CHARGE = Step(
    command=ChargeCard,
    on_success=CardCharged,
    on_rejection=CardDeclined,
    learns=("payment_id",),
    compensation=Compensation(
        command=refund,
        on_success=CardRefunded,
        on_rejection=RefundImpossible,
        timeout_seconds=60,
        retry=TWICE,
    ),
    timeout_seconds=60,
    retry=TWICE,
    reply_key="order_id",
)
ISSUE = Step(
    command=IssueTicket,
    on_success=TicketIssued,
    on_rejection=TicketRefused,
    compensation=VoidTicket,
    timeout_seconds=60,
    retry=TWICE,
    reply_key="order_id",
    pivot=True,
)
CONFIRM = Step(command=ConfirmTrip, timeout_seconds=10, retry=TWICE, retriable=True)


class Trip(Orchestrator):
    saga_type = "TestTrip"
    state = TripData
    key = "order_id"
    starts_on = TripBooked

    look_up = LOOK_UP
    hold = HOLD
    charge = CHARGE
    issue = ISSUE
    confirm = CONFIRM


class HastyTrip(Orchestrator):
    """Holds the seat and charges the card at the same time."""

    saga_type = "TestHastyTrip"
    state = TripData
    key = "order_id"
    starts_on = TripBooked

    look_up = LOOK_UP
    prepare = Parallel(hold=HOLD, charge=CHARGE)
    issue = ISSUE
    confirm = CONFIRM


def booked(**overrides: Any) -> TripBooked:
    values: dict[str, Any] = {"order_id": ORDER, "total": Decimal(90), "occurred_on": MOMENT}
    return TripBooked(**values | overrides)


def of_order(event_class: type[DomainEvent], **overrides: Any) -> Any:
    values: dict[str, Any] = {"order_id": ORDER, "occurred_on": MOMENT}
    return event_class(**values | overrides)


def charged(**overrides: Any) -> CardCharged:
    return of_order(CardCharged, **{"payment_id": PAYMENT} | overrides)


def effect_key(step: str, direction: Direction = Direction.DO, saga_type: str = "TestTrip") -> UUID:
    return effect_key_for(f"{saga_type}:{ORDER}", step, direction)


def variant(**changes: Any) -> type[Orchestrator]:
    """A trip with other steps, or with another head; nobody else sees it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sagas.definition.definitions", Definitions())
        return type("Variant", (Trip,), {"saga_type": "TestTrip"} | changes)
