"""Each check by its id: what it finds, what it says to do, and that it is quiet otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.checks import CheckMessage, Error, Warning
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from events.aggregates import EventSourcedAggregate
from events.command_bus import CommandBus
from sagas import checks
from sagas.registry import Definitions
from sagas.step import Compensation, Parallel, Step

from .shop import (
    CHARGE,
    CONFIRM,
    HOLD,
    LOOK_UP,
    CancelTrip,
    CardCharged,
    CardDeclined,
    CardRefunded,
    ConfirmTrip,
    LookUpFare,
    RefundImpossible,
    SeatFreed,
    SeatHeld,
    SeatSoldOut,
    TicketIssued,
    TicketRefused,
    Trip,
    TripBooked,
    VoidTicket,
    variant,
)


class Seats(EventSourcedAggregate):
    """Has the events of the trip, so that somebody emits them."""

    aggregate_type = "Seats"
    ignored_events = frozenset(
        {TripBooked, SeatHeld, SeatSoldOut, SeatFreed, CardCharged, CardDeclined}
    ) | {CardRefunded, RefundImpossible, TicketIssued}

    def apply_ticket_refused(self, event: TicketRefused) -> None:
        pass


def found(**changes) -> list[CheckMessage]:
    known = Definitions()
    known.register(variant(**changes).plan)
    return checks.check_definitions(None, known)


def only(message_id: str, messages: list[CheckMessage]) -> CheckMessage:
    assert [message.id for message in messages] == [message_id]
    kind = Warning if ".W" in message_id else Error
    assert isinstance(messages[0], kind)
    assert messages[0].hint
    return messages[0]


def test_all_is_well_with_a_whole_definition():
    assert found() == []


def test_e001_a_step_without_undo_has_to_say_what_it_is():
    message = only("sagas.E001", found(hold=replace(HOLD, compensation=None)))
    assert message.msg == "Variant.hold has no undo."
    assert "effect_free=True" in str(message.hint)


@pytest.mark.parametrize("free", [{"effect_free": True}, {"retriable": True}], ids=str)
def test_e001_the_last_step_is_fine_when_nothing_after_it_can_fail(free):
    last = replace(LOOK_UP, **{"effect_free": False, **free})
    assert found(issue=None, confirm=last) == []


def test_e001_a_retriable_step_before_one_that_can_fail_needs_an_undo_all_the_same():
    step = replace(HOLD, compensation=None, retriable=True)
    message = only("sagas.E001", found(hold=step))
    assert message.msg.startswith("Variant.hold has no undo, and charge, which comes with it")


def test_e001_so_does_a_retriable_step_beside_one_that_can_fail():
    steps = Parallel(charge=CHARGE, hold=replace(HOLD, compensation=None, retriable=True))
    without = dict.fromkeys(("hold", "charge", "issue", "confirm"))
    message = only("sagas.E001", found(**without, both=steps, last=CONFIRM))
    assert "and charge, which" in message.msg


def test_e002_an_undo_after_the_pivot_is_never_called():
    message = only(
        "sagas.E002",
        found(confirm=replace(CONFIRM, compensation=VoidTicket)),
    )
    assert message.msg.startswith("Variant.confirm has a compensation, but comes after the pivot")


def test_e003_a_step_without_time_out_can_wait_for_ever():
    message = only("sagas.E003", found(look_up=replace(LOOK_UP, timeout_seconds=None)))
    assert message.msg.startswith("Variant.look_up has no time-out")


def test_e003_so_can_a_compensation():
    undo = Compensation(command=VoidTicket)
    message = only("sagas.E003", found(hold=replace(HOLD, compensation=undo)))
    assert message.msg.startswith("Variant.hold's compensation has no time-out")


def test_e003_so_can_what_undoes_the_start():
    message = only("sagas.E003", found(undo_start=CancelTrip))
    assert message.msg.startswith("Variant.start's compensation has no time-out")


def test_e004_a_command_without_handler_is_found_in_each_step_that_sends_it(monkeypatch):
    bus = CommandBus()
    for cls in checks.command_bus:
        if cls not in (LookUpFare, ConfirmTrip):
            bus.register(cls, print)
    monkeypatch.setattr(checks, "command_bus", bus)
    messages = found()
    assert [message.id for message in messages] == ["sagas.E004"] * 2
    assert messages[0].msg.startswith("Variant.look_up sends tests.LookUpFare, which no handler")


def test_w001_an_answer_that_no_aggregate_has_will_never_come(monkeypatch):
    monkeypatch.setattr(Seats, "ignored_events", Seats.ignored_events - {SeatHeld})
    message = only("sagas.W001", found())
    assert message.msg == "Variant.hold waits for tests.SeatHeld, which no aggregate has."
    assert "apply_seat_held()" in str(message.hint)


def test_w002_nor_will_a_start(monkeypatch):
    monkeypatch.setattr(Seats, "ignored_events", Seats.ignored_events - {TripBooked})
    message = only("sagas.W002", found())
    assert message.msg == "Variant starts on tests.TripBooked, which no aggregate has."


def test_the_checks_look_at_all_versions():
    known = Definitions()
    known.register(variant(hold=replace(HOLD, compensation=None)).plan)
    known.register(variant(version=2).plan)
    assert [message.id for message in checks.check_definitions(None, known)] == ["sagas.E001"]


@pytest.mark.django_db
def test_the_checks_run_with_manage_py_check(monkeypatch):
    known = Definitions()
    known.register(variant(look_up=Step(command=LookUpFare)).plan)
    monkeypatch.setattr(checks.definitions, "_plans", known._plans)
    with pytest.raises(SystemCheckError, match=r"sagas\.E001.*Variant\.look_up has no undo"):
        call_command("check")
    whole = Definitions()
    whole.register(Trip.plan)
    monkeypatch.setattr(checks.definitions, "_plans", whole._plans)
    call_command("check")
