"""Versions of a definition live side by side; an instance ends with the one that it began with."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from events.exceptions import RegistrationError
from sagas.definition import Orchestrator
from sagas.exceptions import DefinitionChanged
from sagas.identity import Direction, saga_id_for
from sagas.inputs import Answered, Handled, Started
from sagas.instance import Saga
from sagas.state import Status
from sagas.step import Step
from tests.factories import MOMENT

from .shop import (
    HOLD,
    LOOK_UP,
    ORDER,
    ConfirmTrip,
    SeatSoldOut,
    Trip,
    TripBooked,
    TripData,
    booked,
    of_order,
)

ID = saga_id_for("TestShortTrip", str(ORDER))


def short_trip(**body) -> type[Orchestrator]:
    head = {
        "saga_type": "TestShortTrip",
        "state": TripData,
        "key": "order_id",
        "starts_on": TripBooked,
    }
    return type("ShortTrip", (Orchestrator,), head | {"look_up": LOOK_UP} | body)


def started() -> Saga:
    saga = Saga(ID)
    saga.handle(Started(message=booked(), message_id=UUID(int=1), key=str(ORDER), at=MOMENT))
    return saga


def looked_up(saga: Saga) -> Saga:
    saga.handle(Handled(step="look_up", direction=Direction.DO, attempt=1, at=MOMENT))
    return saga


def second_version() -> type[Orchestrator]:
    class SecondTrip(Orchestrator):
        saga_type = "TestShortTrip"
        version = 2
        state = TripData
        key = "order_id"
        starts_on = TripBooked
        look_up = LOOK_UP
        hold = HOLD

    return SecondTrip


def test_23_an_instance_ends_with_the_version_that_it_began_with(definitions):
    short_trip()
    old = started()
    second_version()
    new = started()
    assert looked_up(old).status is Status.COMPLETED
    assert looked_up(new).status is Status.RUNNING


def test_23_an_answer_that_only_another_version_waits_for_is_none(definitions):
    short_trip()
    old = started()
    second_version()
    event = of_order(SeatSoldOut)
    assert old.handle(Answered(event=event, causation_id=None, at=MOMENT)) == []


def test_22_a_version_whose_steps_have_changed_is_refused(definitions):
    short_trip()
    saga = started()
    short_trip(hold=HOLD)
    with pytest.raises(DefinitionChanged, match="TestShortTrip version 1"):
        looked_up(saga)


def test_22_times_and_retries_may_change_in_a_version(definitions):
    short_trip()
    saga = started()
    short_trip(look_up=replace(LOOK_UP, timeout_seconds=99))
    assert looked_up(saga).status is Status.COMPLETED


def test_new_instances_begin_with_the_highest_version_whatever_was_registered_last(definitions):
    second = second_version()
    short_trip()
    assert definitions.latest("TestShortTrip") is second.plan
    assert [plan.version for plan in definitions] == [2, 1]


def test_two_classes_can_not_define_the_same_version(definitions):
    short_trip()
    with pytest.raises(RegistrationError, match="TestShortTrip version 1 is defined by"):

        class Other(Orchestrator):
            saga_type = "TestShortTrip"
            state = TripData
            key = "order_id"
            starts_on = TripBooked
            look_up = LOOK_UP


def test_a_module_that_is_imported_again_defines_its_own_again(definitions):
    short_trip()
    short_trip()
    assert len(list(definitions)) == 1


def test_a_new_version_takes_over_the_steps_that_it_does_not_change(definitions):
    class Changed(Trip):
        version = 2
        charge = None
        issue = None
        hold = replace(HOLD, timeout_seconds=7)
        thank = Step(command=ConfirmTrip, retriable=True, timeout_seconds=5)

    assert list(Changed.plan.steps) == ["look_up", "hold", "confirm", "thank"]
    assert Changed.plan.steps["hold"].do.timeout_seconds == 7
    assert list(Trip.plan.steps) == ["look_up", "hold", "charge", "issue", "confirm"]
