"""An orchestrated saga of five steps, run by one worker in the process that calls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from events.bus.subscription import Subscription, subscriptions
from events.command_bus import command_bus, handles
from events.delivery.worker import Worker
from events.exceptions import CommandRefused
from events.identifiers import new_id
from events.messages import Command, DomainEvent
from events.registry import command, event
from events.store.configured import event_store
from events.streams import StreamName
from sagas.definition import Orchestrator
from sagas.inbox import subscription_name
from sagas.models import SagaInstance
from sagas.sending import ASKING_COMMANDS, COMMANDS
from sagas.step import Compensation, Step

from ..harness import Operation

#: As many as the threads of the other.
CLIENTS = 8
INSERT = "INSERT INTO saga_benchmarks_step_done (order_id, step) VALUES (%s, %s)"


class NoCarrier(CommandRefused):
    code = "no_carrier"


@command("benchmarks.PlaceOrder")
class PlaceOrder(Command):
    order_id: UUID
    can_be_shipped: bool


@event("benchmarks.OrderPlaced")
class OrderPlaced(DomainEvent):
    order_id: UUID
    can_be_shipped: bool


@command("benchmarks.Reserve")
class Reserve(Command):
    order_id: UUID


@command("benchmarks.Release")
class Release(Command):
    order_id: UUID


@command("benchmarks.Charge")
class Charge(Command):
    order_id: UUID


@command("benchmarks.Refund")
class Refund(Command):
    order_id: UUID


@command("benchmarks.Ship")
class Ship(Command):
    order_id: UUID
    can_be_shipped: bool


@command("benchmarks.Invoice")
class Invoice(Command):
    order_id: UUID


@command("benchmarks.Complete")
class Complete(Command):
    order_id: UUID


@handles(PlaceOrder)
def place_order(order: PlaceOrder) -> None:
    placed = OrderPlaced(order_id=order.order_id, can_be_shipped=order.can_be_shipped)
    event_store().append(StreamName("BenchmarkOrder", order.order_id), [placed])


@handles(Reserve)
def reserve(order: Reserve) -> None:
    write_row(order.order_id, "reserve")


@handles(Release)
def release(order: Release) -> None:
    write_row(order.order_id, "release")


@handles(Charge)
def charge(order: Charge) -> None:
    write_row(order.order_id, "charge")


@handles(Refund)
def refund(order: Refund) -> None:
    write_row(order.order_id, "refund")


@handles(Ship)
def ship(order: Ship) -> None:
    if not order.can_be_shipped:
        raise NoCarrier("Nobody goes there.")
    write_row(order.order_id, "ship")


@handles(Invoice)
def invoice(order: Invoice) -> None:
    write_row(order.order_id, "invoice")


@handles(Complete)
def complete(order: Complete) -> None:
    write_row(order.order_id, "complete")


def write_row(order_id: UUID, step: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, (order_id, step))


@dataclass(frozen=True, kw_only=True)
class OrderData:
    order_id: UUID
    can_be_shipped: bool


class FiveSteps(Orchestrator):
    saga_type = "BenchmarkOrder"
    state = OrderData
    key = "order_id"
    starts_on = OrderPlaced

    reserve = Step(
        command=Reserve,
        compensation=Compensation(command=Release, timeout_seconds=60),
        timeout_seconds=60,
    )
    charge = Step(
        command=Charge,
        compensation=Compensation(command=Refund, timeout_seconds=60),
        timeout_seconds=60,
    )
    ship = Step(command=Ship, pivot=True, timeout_seconds=60)
    invoice = Step(command=Invoice, retriable=True, timeout_seconds=60)
    complete = Step(command=Complete, retriable=True, timeout_seconds=60)


def of_sagas() -> list[Subscription]:
    """In the order in which a worker looks at them."""
    names = (subscription_name(FiveSteps.saga_type), COMMANDS, ASKING_COMMANDS)
    return [each for each in subscriptions if each.name in names]


def prepare(sagas: int, fails_one_in: int | None = None) -> Operation:
    """Places so many orders, and runs their sagas to the end."""
    worker, clients = Worker(only=of_sagas()), ThreadPoolExecutor(CLIENTS)
    worker.turn()

    def place_and_finish() -> None:
        before = ended()
        fates = [fails_one_in is None or number % fails_one_in > 0 for number in range(sagas)]
        list(clients.map(place, fates))
        while worker.turn():
            pass
        if ended() - before != sagas:
            raise RuntimeError(f"{ended() - before} of {sagas} sagas have ended.")

    return place_and_finish


def place(can_be_shipped: bool = True) -> None:
    command_bus.dispatch(PlaceOrder(order_id=new_id(), can_be_shipped=can_be_shipped))


def ended() -> int:
    return SagaInstance.objects.filter(ended_at__isnull=False).count()
