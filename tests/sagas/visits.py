"""A small saga that runs on handlers of the tests' own: a seat, then money by another system. It is
sound as long as `mistakes` is empty."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from events.bus.retry import RetryPolicy
from events.command_bus import command_bus
from events.exceptions import CommandRefused
from events.identifiers import new_id
from events.messages import Command, DomainEvent
from events.registry import command, event
from events.store.configured import event_store
from events.streams import StreamName
from sagas.definition import Orchestrator
from sagas.step import Compensation, Parallel, Step

VISIT = "v-1"

mistakes: set[str] = set()


@event("tests.VisitBooked")
class VisitBooked(DomainEvent):
    visit_id: str


@event("tests.HastyVisitBooked")
class HastyVisitBooked(DomainEvent):
    visit_id: str


@event("tests.SeatTaken")
class SeatTaken(DomainEvent):
    visit_id: str


@event("tests.SeatGivenBack")
class SeatGivenBack(DomainEvent):
    visit_id: str


@event("tests.VisitPaid")
class VisitPaid(DomainEvent):
    visit_id: str


@event("tests.VisitPaidBack")
class VisitPaidBack(DomainEvent):
    visit_id: str


@event("tests.VisitConfirmed")
class VisitConfirmed(DomainEvent):
    visit_id: str


@event("tests.VisitCancelled")
class VisitCancelled(DomainEvent):
    visit_id: str


@command("tests.TakeSeat")
class TakeSeat(Command):
    visit_id: str


@command("tests.GiveSeatBack")
class GiveSeatBack(Command):
    visit_id: str


@command("tests.PayForVisit")
class Pay(Command):
    visit_id: str
    effect_key: UUID


@command("tests.PayVisitBack")
class PayBack(Command):
    visit_id: str
    undoes: UUID


@command("tests.ConfirmVisit")
class ConfirmVisit(Command):
    visit_id: str


@command("tests.CancelVisit")
class CancelVisit(Command):
    visit_id: str


class Bank:
    """Another system: no transaction undoes what it has done. It knows charges by their keys."""

    def __init__(self) -> None:
        self.charges: dict[UUID, str] = {}
        self.refunds: set[UUID] = set()

    @property
    def balance(self) -> int:
        return list(self.charges.values()).count("charged")

    def charge(self, key: UUID) -> str:
        return self.charges.setdefault(key, "charged")

    def refund(self, key: UUID) -> None:
        self.charges[key] = "refunded" if self.charges.get(key) == "charged" else "prevented"


bank = Bank()


def told() -> Counter[str]:
    """How often what was told of the visit."""
    stream = StreamName("Visit", VISIT)
    return Counter(each.event_type for each in event_store().read_stream(stream))


def tell(event: DomainEvent) -> None:
    event_store().append(StreamName("Visit", VISIT), [event])


def tell_once(event: DomainEvent) -> None:
    if not told()[event.event_type]:
        tell(event)


def take_seat(taking: TakeSeat) -> None:
    if told()["tests.SeatGivenBack"]:
        raise CommandRefused("It was given back.", code="given_back")
    taken = SeatTaken(visit_id=VISIT)
    if "takes a seat each time" in mistakes:
        tell(taken)
    else:
        tell_once(taken)


def give_seat_back(giving: GiveSeatBack) -> None:
    if told()["tests.SeatTaken"] and "keeps the seat" not in mistakes:
        tell_once(SeatGivenBack(visit_id=VISIT))


def charge(paying: Pay) -> str:
    return bank.charge(new_id() if "charges under any key" in mistakes else paying.effect_key)


def pay(paying: Pay, outcome: str) -> None:
    if outcome != "charged":
        raise CommandRefused("It was paid back.", code="paid_back")
    tell_once(VisitPaid(visit_id=VISIT))


def refund(paying_back: PayBack) -> None:
    key = paying_back.undoes
    if "refunds only what it knows of" in mistakes and not told()["tests.VisitPaid"]:
        return
    if "refunds only once" in mistakes and (key in bank.refunds or key not in bank.charges):
        bank.refunds.add(key)
        return
    bank.refund(key)


def pay_back(paying_back: PayBack, outcome: Any) -> None:
    if told()["tests.VisitPaid"]:
        tell_once(VisitPaidBack(visit_id=VISIT))


def confirm(confirming: ConfirmVisit) -> None:
    if "confirms in memory" in mistakes:
        bank.charges[new_id()] = "charged"
    if told()["tests.VisitConfirmed"] and "confirms only once" in mistakes:
        raise ValueError("confirmed already")
    tell_once(VisitConfirmed(visit_id=VISIT))


def cancel(cancelling: CancelVisit) -> None:
    tell_once(VisitCancelled(visit_id=VISIT))


command_bus.register(TakeSeat, take_seat)
command_bus.register(GiveSeatBack, give_seat_back)
command_bus.register(Pay, pay, ask=charge)
command_bus.register(PayBack, pay_back, ask=refund)
command_bus.register(ConfirmVisit, confirm)
command_bus.register(CancelVisit, cancel)


@dataclass(frozen=True, kw_only=True)
class VisitData:
    visit_id: str


TWICE = RetryPolicy(attempts=2, first_delay_seconds=5, max_delay_seconds=60)


SEAT = Step(
    command=TakeSeat,
    on_success=SeatTaken,
    compensation=GiveSeatBack,
    timeout_seconds=30,
    retry=TWICE,
)
PAY = Step(
    command=Pay,
    on_success=VisitPaid,
    compensation=Compensation(command=PayBack, timeout_seconds=30, retry=TWICE),
    timeout_seconds=30,
    retry=TWICE,
)
CONFIRM = Step(command=ConfirmVisit, retriable=True, timeout_seconds=30)
CANCEL = Compensation(command=CancelVisit, timeout_seconds=30, retry=TWICE)


class Visit(Orchestrator):
    saga_type = "TestVisit"
    state = VisitData
    key = "visit_id"
    starts_on = VisitBooked

    seat = SEAT
    pay = replace(PAY, pivot=True)
    confirm = CONFIRM

    undo_start = CANCEL


class HastyVisit(Orchestrator):
    """Takes the seat and the money at the same time."""

    saga_type = "TestHastyVisit"
    state = VisitData
    key = "visit_id"
    starts_on = HastyVisitBooked

    prepare = Parallel(seat=SEAT, pay=PAY)
    confirm = CONFIRM

    undo_start = CANCEL


def book() -> None:
    event_store().append(StreamName("Visit", VISIT), [VisitBooked(visit_id=VISIT)])


def book_hastily() -> None:
    event_store().append(StreamName("Visit", VISIT), [HastyVisitBooked(visit_id=VISIT)])
