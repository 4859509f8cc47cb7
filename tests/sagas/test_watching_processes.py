"""Where a choreographed process stands is seen, whatever the order in which its events come, and it
never stops in silence."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice, permutations
from uuid import UUID

import pytest
from django.contrib.admin.utils import quote
from django.core.management import CommandError, call_command
from django.db import transaction
from django.urls import reverse

from events.delivery.draining import drain
from events.exceptions import AggregateNotFound, InvalidInput, Unavailable
from events.models import FailedEvent, Lane, OperatorAction
from events.store.configured import event_store
from events.store.source import EventSource
from events.streams import StreamName
from sagas import watch
from sagas.clock import database_time
from sagas.deadlines import fire_deadlines, fire_due_deadlines
from sagas.events import ProcessStalled
from sagas.exceptions import ActionNotPossible
from sagas.models import ProcessDeadline, SagaInstance, WatchedProcess
from tests.factories import item_added
from tests.processes import run_at_once

from .outing import (
    OUTING,
    CallOffOuting,
    CarRefused,
    CarRented,
    FreeRoom,
    HoldRoom,
    NotToday,
    OutingBegun,
    OutingCalledOff,
    OutingPlanned,
    RentCar,
    RoomFreed,
    RoomHeld,
    RoomRefused,
    changed,
    plan_outing,
    rent_car,
    script,
    variant,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("choreographed"),
]

PROCESS_ID = f"TestOuting:{OUTING}"
LONG = timedelta(hours=1)


def refuse(outing_id: UUID):
    raise NotToday("no")


def fail(outing_id: UUID):
    raise Unavailable("away")


def said() -> list[str]:
    stream = StreamName("Process", PROCESS_ID)
    return [each.event_type for each in event_store().read_stream(stream)]


def instance() -> SagaInstance:
    return SagaInstance.objects.get(pk=PROCESS_ID)


def retry_now() -> None:
    FailedEvent.objects.update(next_attempt_at=None)
    drain(raise_errors=False)


# --- where it stands ---


def test_a_process_has_the_row_of_an_orchestrated_saga():
    variant()
    script.instead[RentCar] = lambda key: None
    plan_outing()
    drain()
    running = instance()
    assert (running.saga_type, running.key) == ("TestOuting", str(OUTING))
    assert (running.status, running.under_way, running.ended_at) == ("running", ["car"], None)
    [planned] = event_store().read_stream(StreamName("Outing", OUTING))
    assert running.correlation_id == planned.metadata["correlation_id"]

    event_store().append(StreamName("Car", OUTING), [CarRented(outing_id=OUTING)])
    drain()
    assert (instance().status, instance().under_way) == ("completed", [])
    assert instance().ended_at is not None
    assert said() == ["ProcessCompleted"]
    assert not ProcessDeadline.objects.exists()


def test_a_process_that_is_undone_says_where_it_failed():
    variant()
    script.instead[RentCar] = lambda key: CarRefused(outing_id=key)
    plan_outing()
    drain()
    assert instance().status == "compensated"
    [told] = event_store().read_stream(StreamName("Process", PROCESS_ID))
    assert told.data == {"step": "car"}


PATHS = [
    ([OutingPlanned, RoomHeld, CarRented, OutingBegun], "completed", ""),
    ([OutingPlanned, RoomRefused, OutingCalledOff], "compensated", "room"),
    ([OutingPlanned, RoomHeld, CarRefused, OutingCalledOff, RoomFreed], "compensated", "car"),
    ([OutingPlanned, OutingCalledOff, RoomHeld], "compensating", "room"),
    ([OutingPlanned, RoomHeld, CarRefused], "compensating", ""),
    ([OutingPlanned, RoomHeld, OutingCalledOff, RoomFreed], "compensating", "car"),
    ([OutingPlanned, RoomHeld], "running", ""),
]


@pytest.mark.parametrize(("path", "status", "failed_step"), PATHS)
def test_where_a_process_stands_follows_from_the_events_alone(path, status, failed_step):
    seen = {cls.event_type: position for position, cls in enumerate(path, start=1)}
    standing = variant().process.standing(seen)
    assert (standing.status, standing.failed_step) == (status, failed_step)


@pytest.mark.parametrize(("path", "status", "failed_step"), PATHS)
def test_out_of_order_and_repeated_events_make_no_difference(path, status, failed_step):
    process = variant().process
    for cls in path:
        key = {"outing_id": OUTING} if hasattr(cls, "outing_id") else {}
        event_store().append(StreamName("Outing", OUTING), [cls(**key)])
    recorded = list(event_store().read_stream(StreamName("Outing", OUTING)))
    shown = set()
    for shuffled in islice(permutations(recorded), None, None, 7):
        SagaInstance.objects.all().delete()
        WatchedProcess.objects.all().delete()
        ProcessDeadline.objects.all().delete()
        for each in [*shuffled, *reversed(shuffled)]:
            with transaction.atomic():
                watch.Watch(process)(each)
        row = instance()
        deadlines = ProcessDeadline.objects.values_list("step", "direction")
        shown.add((row.status, tuple(row.under_way), tuple(sorted(deadlines))))
    assert len(shown) == 1
    assert shown.pop()[0] == status


@pytest.mark.parametrize("turn", [1, -1])
def test_of_several_events_of_one_type_the_first_counts(turn):
    process = variant().process
    plan_outing()
    for event in (RoomHeld(outing_id=OUTING), OutingCalledOff(), RoomHeld(outing_id=OUTING)):
        event_store().append(StreamName("Outing", OUTING), [event])
    recorded = list(event_store().read_stream(StreamName("Outing", OUTING)))
    for each in recorded[::turn]:
        with transaction.atomic():
            watch.Watch(process)(each)
    seen = WatchedProcess.objects.get().seen
    assert seen["tests.RoomHeld"] == recorded[1].position
    assert process.standing(seen).failed_step == "car"


def test_an_event_before_the_start_is_kept_and_not_shown():
    variant()
    event_store().append(StreamName("Room", OUTING), [RoomHeld(outing_id=OUTING)])
    script.instead[RentCar] = lambda key: None
    drain()
    assert not SagaInstance.objects.exists()
    script.instead[HoldRoom] = lambda key: None
    plan_outing()
    drain()
    assert instance().under_way == ["car"]


def test_two_events_at_once_are_both_seen(monkeypatch):
    """Several workers can come to the same row: one by an event, one by a deadline."""
    plan_outing()
    event_store().append(StreamName("Room", OUTING), [RoomHeld(outing_id=OUTING)])
    event_store().append(StreamName("Car", OUTING), [CarRented(outing_id=OUTING)])
    event_store().append(StreamName("Outing", OUTING), [OutingBegun()])
    calls = [_Seeing(each.event_id) for each in event_store().read_log()]
    run_at_once(calls)
    assert len(WatchedProcess.objects.get().seen) == 4
    assert instance().status == "completed"


class _Seeing:
    def __init__(self, event_id):
        self.event_id = event_id

    def __call__(self) -> None:
        process = variant().process
        with transaction.atomic():
            watch.Watch(process)(event_store().get_event(self.event_id))


def test_the_pages_of_sagas_show_a_process_too(admin_client):
    variant()
    script.instead[RentCar] = refuse
    plan_outing()
    drain(raise_errors=False)
    row = instance()
    listed = admin_client.get(reverse("admin:sagas_sagainstance_changelist"))
    assert str(OUTING) in listed.content.decode()
    shown = admin_client.get(reverse("admin:sagas_sagainstance_change", args=[quote(row.pk)]))
    assert shown.status_code == 200
    assert "NotToday: no" in shown.content.decode()


# --- deadlines ---


def test_a_step_without_answer_turns_the_process_back():
    variant()
    script.instead[RentCar] = fail
    plan_outing()
    drain(raise_errors=False)
    assert not fire_deadlines(database_time() + timedelta(seconds=599))

    assert fire_deadlines(database_time() + timedelta(seconds=601))
    script.instead[RentCar] = lambda key: CarRefused(outing_id=key)
    retry_now()
    assert instance().status == "compensated"
    assert "CallOffOuting" in script.calls
    assert said() == ["ProcessCompensated"]


def test_a_deadline_is_by_the_time_of_the_database_and_not_due_before():
    variant()
    script.instead[RentCar] = fail
    plan_outing()
    drain(raise_errors=False)
    [deadline] = ProcessDeadline.objects.all()
    assert deadline.step == "car"
    left = deadline.due_at - database_time()
    assert timedelta(seconds=590) < left <= timedelta(seconds=600)
    assert not fire_due_deadlines()


def test_an_answer_that_is_in_the_log_counts_before_the_watch_has_come_to_it():
    variant()
    script.instead[RentCar] = lambda key: None
    plan_outing()
    drain()
    drain("sagas.TestOuting.watch")
    correlation_id = instance().correlation_id
    answer = CarRented(outing_id=OUTING, metadata={"correlation_id": correlation_id})
    event_store().append(StreamName("Car", OUTING), [answer])

    fire_deadlines(database_time() + LONG)

    assert "CallOffOuting" not in script.calls
    assert instance().under_way == ["begin"]


def test_a_step_that_nobody_can_turn_back_is_shown_to_operators():
    variant(car=changed(rent_car, otherwise=None))
    script.instead[RentCar] = fail
    plan_outing()
    drain(raise_errors=False)

    fire_deadlines(database_time() + LONG)

    stalled = instance()
    assert (stalled.status, stalled.ended_at) == ("needs_intervention", None)
    assert stalled.open_items["car"]["problem"] == "No answer within 600 s."
    [told] = event_store().read_stream(StreamName("Process", PROCESS_ID))
    assert isinstance(told.event, ProcessStalled)
    assert told.event.awaited == ["tests.CarRefused", "tests.CarRented"]
    assert told.event.last_event == "tests.RoomHeld"
    assert not fire_deadlines(database_time() + LONG * 100)

    script.instead.clear()
    retry_now()
    assert (instance().status, instance().open_items) == ("completed", {})


def test_a_refused_turn_back_is_shown_to_operators():
    variant()
    script.instead |= {RentCar: fail, CallOffOuting: refuse}
    plan_outing()
    drain(raise_errors=False)
    fire_deadlines(database_time() + LONG)
    assert instance().status == "needs_intervention"
    assert "tests.CallOffOuting is refused: no" in instance().open_items["car"]["problem"]


def test_a_turn_back_without_effect_is_shown_to_operators_after_the_same_time_again():
    variant()
    script.instead |= {RentCar: fail, CallOffOuting: lambda key: None}
    plan_outing()
    drain(raise_errors=False)
    first = database_time() + timedelta(seconds=601)
    assert fire_deadlines(first)
    drain(raise_errors=False)
    assert instance().status == "running"
    assert not fire_deadlines(first + timedelta(seconds=599))
    assert fire_deadlines(first + timedelta(seconds=600))
    assert instance().status == "needs_intervention"
    assert "had no effect" in instance().open_items["car"]["problem"]
    assert script.calls.count("CallOffOuting") == 1


def test_a_turn_back_that_fails_is_tried_again(monkeypatch):
    variant()
    script.instead |= {RentCar: fail, CallOffOuting: fail}
    plan_outing()
    drain(raise_errors=False)
    at = database_time() + LONG
    assert fire_deadlines(at)
    assert not fire_deadlines(at + timedelta(seconds=29))
    del script.instead[CallOffOuting]
    assert fire_deadlines(at + timedelta(seconds=31))
    drain(raise_errors=False)
    assert instance().status == "compensated"


def test_a_turn_back_that_fails_is_shown_to_operators_until_it_succeeds():
    variant()
    script.instead |= {RentCar: fail, CallOffOuting: fail}
    plan_outing()
    drain(raise_errors=False)
    at = database_time() + LONG
    fire_deadlines(at)
    assert instance().status == "needs_intervention"
    assert "what turns it back fails: Unavailable" in instance().open_items["car"]["problem"]
    del script.instead[CallOffOuting]
    fire_deadlines(at + timedelta(seconds=31))
    drain(raise_errors=False)
    assert (instance().status, instance().open_items) == ("compensated", {})


def test_a_process_whose_start_was_never_seen_is_shown_when_nobody_answers():
    variant(car=changed(rent_car, otherwise=None))
    event_store().append(StreamName("Room", OUTING), [RoomHeld(outing_id=OUTING)])
    script.instead[RentCar] = lambda key: None
    drain()
    assert not SagaInstance.objects.exists()

    fire_deadlines(database_time() + LONG)

    assert (instance().status, instance().under_way) == ("needs_intervention", ["car"])
    script.instead[HoldRoom] = lambda key: None
    plan_outing()
    drain()
    assert instance().status == "needs_intervention"


def test_a_deadline_reads_what_is_new_to_it_of_a_long_conversation(monkeypatch):
    variant()
    script.instead[RentCar] = lambda key: None
    plan_outing()
    drain()
    talk = {"correlation_id": instance().correlation_id}
    others = [OutingPlanned(metadata=talk) for _ in range(20)]
    event_store().append(StreamName("Outing", "another"), others)
    read, find = [], EventSource.read_correlated

    def counted(*arguments, **options):
        for recorded in find(*arguments, **options):
            read.append(recorded)
            yield recorded

    monkeypatch.setattr(EventSource, "read_correlated", counted)
    fire_deadlines(database_time() + LONG)

    assert read == []


def test_undoing_that_takes_too_long_is_shown_to_operators():
    variant()
    script.instead |= {RentCar: lambda key: CarRefused(outing_id=key), FreeRoom: fail}
    plan_outing()
    drain(raise_errors=False)
    assert instance().status == "compensating"
    fire_deadlines(database_time() + LONG)
    assert instance().status == "needs_intervention"
    assert instance().under_way == ["room"]
    script.instead.clear()
    retry_now()
    assert instance().status == "compensated"


def test_deadlines_of_a_process_without_code_wait_for_it(monkeypatch):
    variant()
    script.instead[RentCar] = lambda key: None
    plan_outing()
    drain()
    monkeypatch.setattr("sagas.deadlines.choreographies._by_type", {})
    assert fire_deadlines(database_time() + LONG)
    assert ProcessDeadline.objects.get().due_at > database_time() + LONG
    assert instance().status == "running"


def test_two_workers_turn_a_process_back_once():
    variant()
    script.instead[RentCar] = fail
    plan_outing()
    drain(raise_errors=False)
    at = database_time() + timedelta(seconds=601)
    run_at_once([_Firing(at), _Firing(at)])
    outing = event_store().read_stream(StreamName("Outing", OUTING))
    assert [each.event_type for each in outing].count("tests.OutingCalledOff") == 1


class _Firing:
    def __init__(self, at):
        self.at = at

    def __call__(self) -> None:
        variant()
        fire_deadlines(self.at)


# --- operators ---


def test_an_operator_settles_what_can_not_be_undone():
    variant()
    script.instead |= {RentCar: lambda key: CarRefused(outing_id=key), FreeRoom: refuse}
    plan_outing()
    drain(raise_errors=False)
    assert instance().status == "needs_intervention"

    watch.settle_by_hand(PROCESS_ID, "room", operator="ann", evidence="called the hotel")

    assert (instance().status, instance().open_items) == ("compensated", {})
    settled, compensated = event_store().read_stream(StreamName("Process", PROCESS_ID))
    assert settled.data == {"step": "room", "operator": "ann", "evidence": "called the hotel"}
    assert compensated.event_type == "ProcessCompensated"


def test_an_operator_can_skip_what_is_being_undone_and_nothing_else():
    variant()
    script.instead |= {RentCar: lambda key: CarRefused(outing_id=key), FreeRoom: refuse}
    plan_outing()
    drain(raise_errors=False)
    who = ["--actor", "ann"]

    with pytest.raises(CommandError, match="choreographed, nobody directs it"):
        call_command("sagas", "compensate", PROCESS_ID, "--reason", "x", *who)
    with pytest.raises(CommandError, match="learned"):
        call_command(
            *("sagas", "skip", PROCESS_ID, "room", "--evidence", "x", "--learned", '{"a": 1}'), *who
        )
    with pytest.raises(CommandError, match="is not being undone"):
        call_command("sagas", "skip", PROCESS_ID, "car", "--evidence", "x", *who)
    assert not OperatorAction.objects.exists()

    call_command("sagas", "skip", PROCESS_ID, "room", "--evidence", "called the hotel", *who)

    assert instance().status == "compensated"
    [row] = OperatorAction.objects.all()
    assert (row.action, row.actor, row.reason) == ("saga_skip", "ann", "called the hotel")
    assert row.details == {"saga_id": PROCESS_ID, "step": "room"}


def test_only_what_is_being_undone_can_be_settled():
    variant()
    plan_outing()
    drain()
    with pytest.raises(ActionNotPossible, match="is not being undone"):
        watch.settle_by_hand(PROCESS_ID, "room", operator="ann", evidence="x")
    with pytest.raises(InvalidInput, match="reason"):
        watch.settle_by_hand(PROCESS_ID, "room", operator="ann", evidence=" ")
    with pytest.raises(AggregateNotFound):
        watch.settle_by_hand("TestOuting:none", "room", operator="ann", evidence="x")
    assert said() == ["ProcessCompleted"]


def test_the_watch_can_be_reset_and_says_nothing_twice():
    variant()
    plan_outing()
    drain()
    Lane.objects.filter(subscription_id="sagas.TestOuting.watch").update(position=0)
    drain()
    assert said() == ["ProcessCompleted"]


def test_other_dead_letters_are_not_its_business():
    from events.bus.retry import RetryPolicy
    from events.bus.subscription import subscribe

    def broken(recorded):
        raise ValueError

    subscribe("tests.ItemAdded", broken, name="tests.broken", retry=RetryPolicy(attempts=1))
    event_store().append(StreamName("Cart", "1"), [item_added()])
    drain(raise_errors=False)
    assert not WatchedProcess.objects.exists()
