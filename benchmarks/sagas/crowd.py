"""What one more event costs a saga among a hundred that are running, and among a hundred thousand:
an answer is appended, its saga found, decided, saved, and shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from uuid import UUID

from django.db import connection

from events.bus.subscription import subscriptions
from events.command_bus import handles
from events.context import message_context
from events.delivery.worker import Worker
from events.messages import Command, DomainEvent
from events.registry import command, event
from events.store.configured import event_store
from events.streams import StreamName
from sagas.correlation import sending_context
from sagas.definition import Orchestrator
from sagas.identity import Direction, message_id_for, saga_id_for
from sagas.inbox import subscription_name
from sagas.models import SagaInstance
from sagas.step import Step

from ..harness import Contender, Operation, race
from ..report import Row, rows_against
from ..server import Server

FEW, MANY = 100, 100_000
#: "At most 1.3 times the time", as a ratio of speeds.
AT_LEAST = 1 / 1.3
#: Of a saga: enough for all rounds.
DAYS = 60
SAGA_TYPE = "BenchmarkTrip"


@event("benchmarks.TripBooked")
class TripBooked(DomainEvent):
    trip_id: UUID


@command("benchmarks.AskForDay")
class AskForDay(Command):
    trip_id: UUID


@event("benchmarks.DayCame")
class DayCame(DomainEvent):
    trip_id: UUID


@handles(AskForDay)
def ask_for_day(command: AskForDay) -> None:
    """The answer comes from elsewhere."""


@dataclass(frozen=True, kw_only=True)
class TripData:
    trip_id: UUID


DAY = Step(command=AskForDay, on_success=DayCame, effect_free=True, timeout_seconds=3600)
LONG_TRIP = type(
    "LongTrip",
    (Orchestrator,),
    {"saga_type": SAGA_TYPE, "state": TripData, "key": "trip_id", "starts_on": TripBooked}
    | {f"day_{number}": DAY for number in range(DAYS)},
)


def rows(server: Server) -> Iterator[Row]:
    few, many = f"{FEW:,} are running", f"{MANY:,} are running"
    speeds = race(
        server, [Contender(few, partial(prepare, FEW)), Contender(many, partial(prepare, MANY))]
    )
    yield from rows_against(
        {few: AT_LEAST},
        speeds,
        ours=many,
        suite="sagas",
        case=f"one more event, while {many}",
        unit="events/s",
    )


def prepare(running: int) -> Operation:
    """In both crowds it is for one of the same hundred."""
    store = event_store()
    worker = Worker(only=[subscriptions.get(subscription_name(SAGA_TYPE))])
    trips = [UUID(int=number) for number in range(FEW)]
    for trip in trips:
        store.append(StreamName("BenchmarkTrip", trip), [TripBooked(trip_id=trip)])
    while worker.turn():
        pass
    _multiply(saga_id_for(SAGA_TYPE, str(trips[0])), running - FEW)
    days = product((f"day_{number}" for number in range(DAYS)), trips)

    def one_more() -> None:
        step, trip = next(days)
        saga_id = saga_id_for(SAGA_TYPE, str(trip))
        cause = message_id_for(saga_id, step, Direction.DO, 1)
        with message_context(causation_id=str(cause), **sending_context(saga_id)):
            store.append(StreamName("BenchmarkDay", trip), [DayCame(trip_id=trip)])
        handled = worker.tally.handled
        worker.turn()
        if worker.tally.handled != handled + 1:
            raise RuntimeError(f"{saga_id} was not given its event.")

    if SagaInstance.objects.count() != running:
        raise RuntimeError(f"{SagaInstance.objects.count()} sagas are running.")
    return one_more


def _multiply(saga_id: str, times: int) -> None:
    """Adds so many that are as far as this one."""
    for table, column in (
        ("events", "aggregate_id"),
        ("aggregate_versions", "aggregate_id"),
        ("sagas_instances", "saga_id"),
        ("sagas_timers", "saga_id"),
    ):
        _multiply_rows(table, column, saga_id, times)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _multiply_rows(table: str, id_column: str, saga_id: str, times: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s "
            "AND table_schema = current_schema() AND is_identity = 'NO' AND is_generated = 'NEVER'",
            [table],
        )
        columns = [name for (name,) in cursor.fetchall()]
        new = {id_column: f"{id_column} || '-' || number", "event_id": "gen_random_uuid()"}
        values = ", ".join(new.get(name, name) for name in columns)
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} "
            f"FROM {table}, generate_series(1, %s) AS number WHERE {id_column} = %s",
            [times, saga_id],
        )
