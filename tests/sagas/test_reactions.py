"""A reaction sends one command for each event, whatever happens meanwhile."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from events.bus.subscription import Start, subscriptions
from events.delivery import dead_letters
from events.delivery.draining import drain
from events.exceptions import RegistrationError, Unavailable
from events.messages import Command
from events.models import CommandRecord, FailedEvent, Lane
from events.registry import command
from events.store.configured import event_store
from events.streams import StreamName
from sagas.choreography import Choreography, choreographies, reacts_to
from sagas.models import SagaInstance

from .outing import (
    OUTING,
    BeginOuting,
    CallOffOuting,
    CarRefused,
    CarRented,
    NotToday,
    OutingPlanned,
    RentCar,
    RoomHeld,
    changed,
    hold_room,
    key_of,
    plan_outing,
    rent_car,
    script,
    variant,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("choreographed"),
]


def names(aggregate_type: str) -> list[str]:
    stream = StreamName(aggregate_type, OUTING)
    return [each.event_type for each in event_store().read_stream(stream)]


def refuse(outing_id: UUID):
    raise NotToday("no")


def fail(outing_id: UUID):
    raise Unavailable("away")


def reset(subscription: str) -> None:
    """As after a restore, or by an operator: all events come again."""
    Lane.objects.filter(subscription_id=subscription).update(position=0)


def test_a_process_runs_from_its_first_event_to_its_last():
    variant()
    plan_outing()
    drain()
    assert script.calls == ["HoldRoom", "ask RentCar", "RentCar", "BeginOuting"]
    assert names("Outing") == ["tests.OutingPlanned", "tests.OutingBegun"]


def test_a_failure_undoes_what_was_done_before():
    variant()
    script.instead[RentCar] = lambda key: CarRefused(outing_id=key)
    plan_outing()
    drain()
    assert names("Room") == ["tests.RoomHeld", "tests.RoomFreed"]
    assert names("Outing") == ["tests.OutingPlanned", "tests.OutingCalledOff"]


def test_an_event_that_comes_again_has_its_command_handled_once():
    variant()
    plan_outing()
    drain()
    calls = list(script.calls)
    for name in ("room", "car", "begin", "watch"):
        reset(f"sagas.TestOuting.{name}")
    drain()
    assert script.calls == calls
    assert names("Room") == ["tests.RoomHeld"]
    assert names("Outing") == ["tests.OutingPlanned", "tests.OutingBegun"]


def test_what_asks_another_system_is_asked_outside_of_a_transaction():
    variant()
    plan_outing()
    drain()
    assert script.asked_in_transaction == [False]


def test_nothing_to_do_is_no_command():
    @reacts_to(RoomHeld, emits=[CarRented], within_seconds=1)
    def hesitate(held) -> RentCar | None:
        return None

    variant(car=hesitate)
    plan_outing()
    drain()
    assert script.calls == ["HoldRoom"]


def test_a_system_that_is_away_is_asked_for_hours():
    variant()
    script.instead[RentCar] = fail
    plan_outing()
    drain(raise_errors=False)
    for _ in range(20):
        FailedEvent.objects.update(next_attempt_at=None)
        drain(raise_errors=False)
    failed = FailedEvent.objects.get()
    assert failed.status == FailedEvent.Status.RETRYING
    assert failed.attempts == 21
    assert failed.next_attempt_at > timezone.now() + timedelta(minutes=4)

    script.instead.clear()
    FailedEvent.objects.update(next_attempt_at=None)
    drain()
    assert names("Outing")[-1] == "tests.OutingBegun"


def test_a_refusal_waits_for_an_operator_at_once_and_a_retry_asks_again():
    variant()
    script.instead[RentCar] = refuse
    plan_outing()
    drain(raise_errors=False)

    failed = FailedEvent.objects.get()
    assert (failed.status, failed.attempts) == (FailedEvent.Status.DEAD, 1)
    instance = SagaInstance.objects.get()
    assert instance.status == "needs_intervention"
    assert instance.open_items["car"]["problem"] == "NotToday: no"
    assert "sagas.TestOuting.car" in instance.open_items["car"]["advice"]

    script.instead.clear()
    dead_letters.retry(dead_letters.choose([failed]), actor="ann")
    drain()
    assert names("Car") == ["tests.CarRented"]
    instance.refresh_from_db()
    assert (instance.status, instance.open_items) == ("completed", {})


def test_many_without_an_answer_do_not_hold_up_the_others():
    variant()
    asked = [UUID(int=number) for number in range(1, 40)]
    answered = set(asked[30:])
    script.instead[RentCar] = lambda key: CarRented(outing_id=key) if key in answered else fail(key)
    for outing_id in asked:
        plan_outing(outing_id)
    drain(raise_errors=False)
    completed = SagaInstance.objects.filter(status="completed").values_list("key", flat=True)
    assert set(completed) == {str(key) for key in answered}


def test_refusals_of_many_do_not_hold_up_the_others():
    variant()
    asked = [UUID(int=number) for number in range(1, 9)]
    script.instead[RentCar] = lambda key: (
        refuse(key) if key != asked[-1] else CarRented(outing_id=key)
    )
    for outing_id in asked:
        plan_outing(outing_id)
    drain(raise_errors=False)
    statuses = SagaInstance.objects.order_by("key").values_list("status", flat=True)
    assert list(statuses) == ["needs_intervention"] * 7 + ["completed"]


def test_a_refusal_that_is_an_answer_leads_to_another_command():
    def on_refusal(held, refusal):
        return CallOffOuting(outing_id=key_of(held))

    variant(car=changed(rent_car, on_refusal=on_refusal))
    script.instead[RentCar] = refuse
    plan_outing()
    drain()
    assert names("Outing") == ["tests.OutingPlanned", "tests.OutingCalledOff"]
    assert names("Room") == ["tests.RoomHeld", "tests.RoomFreed"]


def test_a_refusal_that_may_be_passed_over_is():
    variant(car=changed(rent_car, on_refusal=lambda held, refusal: None))
    script.instead[RentCar] = refuse
    plan_outing()
    drain()
    assert not FailedEvent.objects.exists()
    assert names("Car") == []


def test_the_command_and_its_event_belong_to_the_conversation_of_what_came_before():
    variant()
    plan_outing()
    drain()
    planned, begun = event_store().read_stream(StreamName("Outing", OUTING))
    assert begun.metadata["correlation_id"] == planned.metadata["correlation_id"]
    assert CommandRecord.objects.filter(pk=begun.metadata["causation_id"]).exists()


@command("tests.UnhandledOuting")
class Unhandled(Command):
    pass


def test_the_handler_of_a_command_has_to_be_there_before():
    @reacts_to(OutingPlanned, emits=[RoomHeld])
    def start(planned) -> Unhandled:
        raise AssertionError("not called")

    with pytest.raises(RegistrationError, match=r"TestOuting\.room: .*Import its module before"):
        variant(room=start)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"emits": []}, "emits are missing"),
        ({"emits": ["RoomHeld"]}, "isn't an event class"),
        ({"emits": [RoomHeld], "within_seconds": 0}, "isn't a number above 0"),
        ({"emits": [RoomHeld], "otherwise": lambda key: None}, "set within_seconds"),
    ],
    ids=lambda each: str(each)[:20],
)
def test_a_wrong_declaration_is_refused_where_it_is_made(options, message):
    @reacts_to(OutingPlanned, **options)
    def start(planned) -> BeginOuting:
        raise AssertionError("not called")

    with pytest.raises(RegistrationError, match=message):
        variant(room=start)
    assert choreographies.find("TestOuting") is None


def test_a_reaction_says_which_command_it_returns():
    @reacts_to(OutingPlanned, emits=[RoomHeld])
    def start(planned): ...

    with pytest.raises(RegistrationError, match="annotate it, -> YourCommand"):
        variant(room=start)


def test_a_process_without_its_end_is_refused():
    with pytest.raises(RegistrationError, match="completed_by is missing"):
        type(
            "Endless",
            (Choreography,),
            {
                "saga_type": "Endless",
                "key": "outing_id",
                "starts_on": OutingPlanned,
                "room": rent_car,
            },
        )


def test_a_reaction_can_leave_alone_what_was_there_before_it():
    plan_outing()
    variant(start=Start.NOW)

    drain()
    assert script.calls == []
    assert not SagaInstance.objects.exists()

    plan_outing(UUID(int=2))
    drain()
    assert script.calls == ["HoldRoom", "ask RentCar", "RentCar", "BeginOuting"]


def test_a_reaction_keeps_its_name_when_the_function_gets_another():
    variant(room=changed(hold_room, name="first"))

    assert subscriptions.find("sagas.TestOuting.first") is not None
    assert subscriptions.find("sagas.TestOuting.room") is None
