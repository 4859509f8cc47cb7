"""A wrong declaration is refused when the class is created, by class and step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

import pytest

from events.exceptions import RegistrationError
from events.messages import Command, DomainEvent
from events.registry import command, event
from sagas.definition import Orchestrator
from sagas.identity import saga_id_for
from sagas.step import Compensation, Effect, Parallel, Step
from sagas.testing import given, handled, started

from .shop import (
    CHARGE,
    HOLD,
    ISSUE,
    LOOK_UP,
    ORDER,
    ChargeCard,
    HastyTrip,
    HoldSeat,
    IssueTicket,
    LookUpFare,
    SeatHeld,
    Trip,
    TripBooked,
    TripData,
    booked,
    effect_key,
    variant,
)


class NotDeclared(Command):
    order_id: UUID


class NotDeclaredEvent(DomainEvent):
    order_id: UUID


@command("tests.Fly")
class Fly(Command):
    order_id: UUID
    seat: str


@command("tests.Pay")
class Pay(Command):
    order_id: UUID
    total: int


@event("tests.Landed")
class Landed(DomainEvent):
    payment_id: str


def no_annotation(state, effect):
    return LookUpFare(order_id=state.order_id)


def one_argument(state: TripData) -> LookUpFare:
    return LookUpFare(order_id=state.order_id)


@dataclass
class Changeable:
    order_id: UUID


def refusal(**changes) -> str:
    with pytest.raises(RegistrationError) as caught:
        variant(**changes)
    return str(caught.value)


def wrong_steps():
    return {
        "no step": (Parallel(a="x"), "Variant.a: 'x' is no Step"),
        "no command": (Step(command="Fly"), "'Fly' is neither a command class nor a function"),
        "not declared": (Step(command=NotDeclared), "NotDeclared isn't declared with @command"),
        "no such field": (Step(command=Fly), "Fly.seat is no field of TripData"),
        "another type": (Step(command=Pay), "Pay.total is a <class 'int'>"),
        "not known yet": (Step(command=IssueTicket), "IssueTicket.payment_id can't be None"),
        "no annotation": (Step(command=no_annotation), "doesn't say which command it returns"),
        "one argument": (Step(command=one_argument), "can't be called with (state, effect)"),
        "no event": (replace(LOOK_UP, on_success=Fly), "on_success: <class 'tests.sagas"),
        "event not declared": (
            replace(LOOK_UP, on_rejection=NotDeclaredEvent),
            "on_rejection: NotDeclaredEvent isn't declared with @event",
        ),
        "both": (replace(HOLD, on_rejection=SeatHeld), "SeatHeld can't be success and rejection"),
        "learns without event": (replace(LOOK_UP, learns=("total",)), "learns: only an event"),
        "learns what is not told": (replace(HOLD, learns=("total",)), "SeatHeld has no total"),
        "learns what is not kept": (
            replace(CHARGE, learns={"order_id": "fare"}),
            "TripData has no fare",
        ),
        "learns another type": (
            replace(CHARGE, on_success=Landed, on_rejection=None, reply_key=None),
            "learns: payment_id of Landed doesn't fit payment_id of TripData",
        ),
        "no such key": (replace(HOLD, reply_key="seat"), "reply_key: SeatHeld has no field 'seat'"),
        "time-out": (replace(HOLD, timeout_seconds=0), "timeout_seconds: 0 isn't a number above 0"),
        "retry": (replace(HOLD, retry=3), "retry: 3 is no RetryPolicy"),
        "compensation": (replace(HOLD, compensation="x"), "compensation: 'x' is neither"),
        "undo of the unknown": (
            replace(CHARGE, compensation=Compensation(command=IssueTicket)),
            "compensation: IssueTicket.payment_id can't be None",
        ),
        "free with undo": (replace(HOLD, effect_free=True), "effect_free leaves nothing to undo"),
        "second pivot": (replace(LOOK_UP, effect_free=False, pivot=True), "is the pivot already"),
        "pivot in company": (
            Parallel(a=replace(LOOK_UP, effect_free=False, pivot=True), b=LOOK_UP),
            "the pivot has to stand alone",
        ),
    }


@pytest.mark.parametrize("name", wrong_steps())
def test_a_wrong_step_is_refused_by_class_and_name(name):
    step, expected = wrong_steps()[name]
    text = refusal(look_up=step, **({"issue": None} if name == "pivot in company" else {}))
    assert text.startswith("Variant.")
    assert expected in text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"saga_type": "two words"}, "Variant.saga_type"),
        ({"version": 0}, "Variant.version is 0"),
        ({"state": dict}, "Variant.state: set it to the dataclass"),
        ({"state": Changeable}, "Variant.state: Changeable has to be a frozen dataclass"),
        ({"key": "order"}, "Variant.key: 'order' is no field of TripData"),
        ({"key": "total"}, "Variant.key: total has to be a str or a UUID"),
        ({"starts_on": int}, "Variant.starts_on"),
        ({"starts_on": SeatHeld}, "Variant.state: SeatHeld has no total"),
    ],
    ids=str,
)
def test_a_wrong_head_is_refused_by_name(changes, expected):
    assert expected in refusal(**changes)


def test_a_saga_without_steps_is_refused():
    no_steps = dict.fromkeys(Trip.plan.steps)
    assert "declare at least one step" in refusal(**no_steps)


def test_steps_without_a_name_of_the_saga_are_refused():
    with pytest.raises(RegistrationError, match=r"Nameless has steps but no name"):

        class Nameless(Orchestrator):
            look_up = LOOK_UP


def test_the_event_that_starts_it_can_not_be_an_answer():
    taking = Step(command=LookUpFare, on_success=TripBooked)
    assert "TripBooked starts it and answers a step" in refusal(look_up=taking)


def test_a_name_that_is_used_twice_is_refused():
    again = Parallel(hold=LOOK_UP)
    assert "Variant.hold: two steps have this name" in refusal(more=again)


def test_a_step_can_not_be_named_as_the_start_is():
    assert "Variant.start: means what undo_start undoes" in refusal(start=LOOK_UP)


def test_what_undoes_the_start_is_checked_by_its_name():
    assert "Variant.undo_start: 'x' is neither" in refusal(undo_start="x")


def test_one_event_for_two_steps_needs_the_cause_to_tell_them_apart():
    assert "which its key can't tell apart" in refusal(again=replace(HOLD, reply_key="order_id"))
    assert variant(again=HOLD).plan.routes[SeatHeld]


def test_a_plan_can_not_be_changed():
    with pytest.raises(TypeError):
        Trip.plan.steps["more"] = None
    with pytest.raises(AttributeError):
        Trip.plan.version = 2


def test_stages_are_in_the_order_of_declaration():
    names = [[step.name for step in stage] for stage in HastyTrip.plan.stages]
    assert names == [["look_up"], ["hold", "charge"], ["issue"], ["confirm"]]


def test_a_compensation_given_as_a_command_has_the_time_out_of_its_step():
    undo = Trip.plan.steps["issue"].undo
    assert undo is not None
    assert undo.timeout_seconds == ISSUE.timeout_seconds


def test_a_command_is_made_by_a_function_where_names_do_not_do():
    def fly(state: TripData, effect: Effect) -> Fly:
        return Fly(order_id=state.order_id, seat=f"{effect.saga_id} for {state.total}")

    definition = variant(look_up=Step(command=fly))
    [sent] = given(definition).when(started(booked())).requests
    assert sent == Fly(order_id=ORDER, seat=f"TestTrip:{ORDER} for 90")
    assert definition.plan.steps["look_up"].do.command_class is Fly


def test_the_start_can_be_written_out():
    def begin(cls, message, key):
        return TripData(order_id=UUID(key), total=message.total * 2)

    definition = variant(begin=classmethod(begin))
    given(definition).when(started(booked())).then_data(total=Decimal(180))


def test_a_command_can_start_a_saga():
    definition = variant(starts_on=ChargeCard)
    pay = ChargeCard(order_id=ORDER, total=Decimal(3), effect_key=UUID(int=1))
    outcome = given(definition).when(started(pay)).then_data(total=Decimal(3))
    outcome.when(handled("look_up")).then_requests(
        HoldSeat(order_id=ORDER, effect_key=effect_key("hold"))
    )


def test_the_key_is_the_id_of_the_stream_where_the_start_does_not_hold_it():
    @event("tests.Requested")
    class Requested(DomainEvent):
        total: Decimal

    definition = variant(starts_on=Requested)
    outcome = given(definition).when(started(Requested(total=Decimal(1)), stream_id=str(ORDER)))
    outcome.then_data(order_id=ORDER)
    assert outcome.saga.id == saga_id_for("TestTrip", str(ORDER))
