"""What goes wrong while a saga is carried on, by the numbers of the list in `test_faults`.

| fault | here |
|---|---|
| 1, 2, 3, 18 crashes | test_18_... : before and after each commit, and in a handler |
| 4 command before its request is visible | test_04_... |
| 5 two workers | test_05_... |
| 9 answer before the start | test_09_... |
| 12 answer and timer at once | test_12_... |
| 19 the database is away | test_19_... |
| 20 poison | test_20_... |
| 24 clocks | test_24_... |
| 25 all workers were down | test_25_... |
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import OperationalError, connection

from chaos.sagas import SAGA_STEPS
from chaos.steps import Step, stop_in
from events.delivery import dead_letters, lanes
from events.delivery.draining import drain
from events.delivery.worker import Worker
from events.exceptions import CommandRefused
from events.models import CommandRecord, FailedEvent
from events.store.configured import event_store
from events.streams import StreamName
from orders.aggregates.order import Order
from orders.events import InventoryReserved
from orders.handlers import inventory
from orders.handlers.orders import orders
from orders.models import PaymentLedgerEntry, ShipmentLedgerEntry
from sagas import clock, inbox, operations, running, timers
from sagas.identity import Direction, message_id_for
from sagas.inbox import subscription_name
from sagas.inputs import TimedOut
from sagas.models import SagaInstance, SagaTimer
from sagas.running import give
from sagas.timers import fire_due_timers
from tests.delivery.workers import let_leases_expire
from tests.orders.shop import (
    ORDER,
    OTHER,
    event_names,
    history,
    money_recorded,
    money_taken,
    parcels_under_way,
    place,
    receive,
    stock,
)
from tests.processes import eventually, new_event, run_at_once
from tests.processes import running as process_running

pytestmark = pytest.mark.django_db(transaction=True)

SAGA = f"OrderProcessing:{ORDER}"
INBOX = subscription_name("OrderProcessing")
STEPS = SAGA_STEPS | {"saved": Step(((running, "save_all"),), is_behind=True)}


# --- in the worker's process ---


def work_until(step, occurrence, reached):
    lanes.LEASE_MARGIN_SECONDS = 0

    def stop():
        reached.set()
        threading.Event().wait()

    stop_in(STEPS[step], occurrence, stop)
    Worker().run()


def work():
    Worker().run(idle_seconds=1.5)


# --- in the process of the test ---


def finish():
    def is_finished():
        if connection.vendor != "postgresql":
            let_leases_expire()
        drain(retries=True, raise_errors=False)
        return not SagaInstance.objects.filter(ended_at__isnull=True).exists()

    eventually(is_finished)
    assert not FailedEvent.objects.exists()


def check_that_it_was_completed_once():
    assert orders.load(ORDER).status == "completed"
    assert SagaInstance.objects.get().status == "completed"
    assert event_names("Order").count("OrderProcessingCompleted") == 1
    assert event_names("Payment") == ["PaymentProcessed"]
    assert event_names("Shipment") == ["ShippingArranged"]
    assert stock() == (3, 2)
    assert money_taken() == money_recorded() == Decimal("3.00")
    assert parcels_under_way() == 1
    assert PaymentLedgerEntry.objects.count() == ShipmentLedgerEntry.objects.count() == 1


def saga_events():
    return event_names("Saga", SAGA)


# --- crashes ---


@pytest.mark.parametrize("occurrence", [1, 3])
@pytest.mark.parametrize(
    "step", ["decided", "in a handler", "command handled", "checkpoint written", "committed"]
)
def test_18_a_worker_that_is_killed_leaves_nothing_lost_and_nothing_doubled(step, occurrence):
    receive(pen=5)
    place()
    reached = new_event()
    with process_running(work_until, step, occurrence, reached) as victim:
        assert reached.wait(30)
        victim.kill()
    assert not SagaInstance.objects.filter(ended_at__isnull=False).exists()

    finish()

    check_that_it_was_completed_once()


def test_18_a_worker_that_is_killed_while_a_timer_fires_leaves_the_timer_to_another():
    receive(pen=5)
    place(payment_method="error_2")
    drain()
    reached = new_event()
    with process_running(work_until, "timer fired", 1, reached) as victim:
        assert reached.wait(30)
        victim.kill()
    assert saga_events()[-1] == "SagaStepRetryScheduled"

    finish()

    check_that_it_was_completed_once()
    assert PaymentLedgerEntry.objects.get().attempts == 3


def test_04_nobody_is_asked_before_the_request_is_committed():
    receive(pen=5)
    place()
    reached = new_event()
    with process_running(work_until, "saved", 1, reached) as victim:
        assert reached.wait(30)
        if connection.vendor == "postgresql":  # SQLite would wait for the writer
            drain()
        assert (saga_events(), event_names("Reservation")) == ([], [])
        victim.kill()

    finish()

    check_that_it_was_completed_once()


def test_05_two_workers_share_sagas_and_do_each_step_once():
    receive(pen=50)
    ids = [UUID(int=ORDER.int + number) for number in range(12)]
    for number, order_id in enumerate(ids):
        place(order_id, payment_method="error_1" if number % 3 == 0 else "card")

    run_at_once([work, work])
    finish()

    assert {orders.load(order_id).status for order_id in ids} == {"completed"}
    assert stock() == (50 - 24, 24)
    for order_id in ids:
        assert event_names("Payment", order_id) == ["PaymentProcessed"]
        assert event_names("Order", order_id).count("OrderProcessingCompleted") == 1


# --- what comes too early, or at the same moment ---


def test_09_an_answer_before_the_start_waits_for_it():
    receive(pen=5)
    reserved = InventoryReserved(order_id=ORDER, items={"pen": 2})
    event_store().append(StreamName("Reservation", ORDER), [reserved])
    drain(raise_errors=False)
    assert FailedEvent.objects.get().subscription_id == INBOX
    place()

    finish()

    assert orders.load(ORDER).status == "completed"
    assert event_names("Reservation") == ["InventoryReserved"]


@pytest.mark.postgresql  # SQLite has one writer at a time
def test_12_of_an_answer_and_a_timer_at_the_same_moment_the_second_decides_again(monkeypatch):
    receive(pen=5)
    place()
    drain(INBOX)
    save_all, calls = running.save_all, []

    def another_is_faster(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 1:
            timer = threading.Thread(target=time_out)
            timer.start()
            timer.join()
        return save_all(*arguments, **options)

    def time_out():
        at = clock.database_time() + timedelta(days=1)
        give(SAGA, TimedOut(step="reserve", direction=Direction.DO, attempt=1, at=at))
        connection.close()

    drain("sagas.commands")
    monkeypatch.setattr(running, "save_all", another_is_faster)
    drain(INBOX)

    assert len(calls) == 3  # the answer, the timer, the answer again
    assert saga_events()[2:5] == ["SagaStepTimedOut", "SagaStepRetryScheduled", "SagaStepSucceeded"]
    finish()
    check_that_it_was_completed_once()


# --- what isn't the fault of the business ---


def test_19_a_database_that_is_away_is_no_failure_of_the_step(monkeypatch):
    receive(pen=5)
    place()
    find, calls = inventory.reservations.find, []

    def find_later(*arguments):
        calls.append(arguments)
        if len(calls) < 3:
            raise OperationalError("the connection is lost")
        return find(*arguments)

    monkeypatch.setattr(inventory.reservations, "find", find_later)
    drain(raise_errors=False)
    assert SagaInstance.objects.get().status == "running"

    finish()

    check_that_it_was_completed_once()
    assert "SagaStepFailed" not in saga_events()


def test_20_what_a_saga_cannot_take_in_blocks_it_alone_until_it_is_released(monkeypatch):
    receive(pen=5)
    place()
    place(OTHER)
    deliveries = inbox.deliveries

    def poisoned(recorded, *arguments):
        if recorded.event_type == "PaymentProcessed" and recorded.aggregate_id == str(ORDER):
            raise ValueError("a bug")
        return deliveries(recorded, *arguments)

    monkeypatch.setattr(inbox, "deliveries", poisoned)
    drain(retries=True, raise_errors=False)

    assert SagaInstance.objects.get(pk=SAGA).status == "blocked"
    assert orders.load(OTHER).status == "completed"

    monkeypatch.setattr(inbox, "deliveries", deliveries)
    operations.release(SAGA, operator="ann", reason="the bug is mended")
    dead_letters.retry(dead_letters.choose(dead_letters.find()), actor="ann")
    finish()

    assert orders.load(ORDER).status == "completed"
    assert money_taken() == money_recorded() == Decimal("3.00")


# --- time ---


@pytest.mark.postgresql
@pytest.mark.parametrize(("hours", "fires"), [(1, False), (-1, True)])
def test_24_a_worker_whose_clock_is_wrong_fires_by_the_time_of_the_database(
    monkeypatch, hours, fires
):
    class WrongClock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=hours)

    monkeypatch.setattr(clock, "datetime", WrongClock)
    monkeypatch.setattr(clock, "_measured_at", float("-inf"))
    due_in = timedelta(minutes=-1 if fires else 1)
    SagaTimer.objects.create(
        saga_id="OrderProcessing:nobody",
        step="pay",
        direction="do",
        attempt=1,
        is_retry=False,
        due_at=datetime.now(UTC) + due_in,
    )

    assert fire_due_timers() is fires

    monkeypatch.undo()
    monkeypatch.setattr(clock, "_measured_at", float("-inf"))


def test_25_after_a_long_pause_answers_in_the_log_count_before_overdue_timers(monkeypatch):
    receive(pen=5)
    place()
    drain(INBOX)
    drain("sagas.commands")
    assert event_names("Reservation") == ["InventoryReserved"]
    tomorrow = clock.database_time() + timedelta(days=1)
    monkeypatch.setattr(timers, "database_time", lambda: tomorrow)

    Worker().turn()

    assert "SagaStepSucceeded" in saga_events()
    assert ("SagaStepTimedOut", "reserve") not in {
        (each.event_type, each.data.get("step")) for each in history("Saga", SAGA)
    }


# --- one commit ---


def test_a_command_that_needs_nobody_else_is_handled_in_the_commit_of_its_request():
    receive(pen=5)
    place()
    drain()

    at_once = {
        each.data["step"] for each in history("Saga", SAGA) if each.metadata.get("handled_at_once")
    }
    assert at_once == {"complete"}
    assert not CommandRecord.objects.filter(
        pk=message_id_for(SAGA, "complete", Direction.DO, 1)
    ).exists()


def test_one_that_fails_there_is_asked_again_by_itself(monkeypatch):
    receive(pen=5)
    place()
    calls = []

    def fail(order):
        calls.append(order.id)
        raise ValueError("no good")

    monkeypatch.setattr(Order, "complete", fail)
    drain()

    # What was tried at once and rolled back is no attempt of its own.
    assert saga_events().count("SagaStepFailed") == len(calls) - 1 > 0
    monkeypatch.undo()
    finish()
    check_that_it_was_completed_once()


def test_one_that_is_refused_there_is_answered_in_the_same_commit(monkeypatch):
    receive(pen=5)
    place()
    calls = []

    def refuse(order):
        calls.append(order.id)
        raise CommandRefused("not yet", code="not_yet")

    monkeypatch.setattr(Order, "complete", refuse)
    drain(INBOX, "sagas.commands", "sagas.asking_commands")
    for _ in range(4):
        drain(INBOX, "sagas.commands", "sagas.asking_commands")

    assert "SagaStepRejected" in saga_events()
    assert len(calls) == 2  # the second time with a savepoint
    [request] = [
        each for each in history("Saga", SAGA) if each.data.get("command_type") == "CompleteOrder"
    ]
    assert request.metadata["handled_at_once"]
