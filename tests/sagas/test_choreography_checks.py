"""Each check by its id: what it finds, what it says to do, and that it is quiet otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.checks import CheckMessage, Error, Warning

from sagas import choreography_checks
from sagas.choreography import Choreographies, Choreography, reacts_to
from sagas.process import Process

from .outing import (
    BeginOuting,
    CallOffOuting,
    CarRefused,
    CarRented,
    CarReturned,
    HoldRoom,
    Outing,
    OutingBegun,
    OutingCalledOff,
    RentCar,
    ReturnCar,
    RoomFreed,
    RoomHeld,
    RoomRefused,
    begin,
    changed,
    free_room,
    hold_room,
    rent_car,
    variant,
)

pytestmark = pytest.mark.usefixtures("choreographed")


def found(**changes) -> list[CheckMessage]:
    return of(variant(**changes).process)


def of(process: Process) -> list[CheckMessage]:
    known = Choreographies()
    known.register(process)
    return choreography_checks.check_choreographies(None, known)


def ids(messages: list[CheckMessage]) -> set[str]:
    return {message.id for message in messages}


def only(message_id: str, messages: list[CheckMessage]) -> CheckMessage:
    assert [message.id for message in messages] == [message_id]
    assert isinstance(messages[0], Warning if ".W" in message_id else Error)
    assert messages[0].hint
    return messages[0]


def test_all_is_well_with_a_whole_process():
    assert found() == []


def test_e005_a_failure_undoes_all_that_was_done_before_it():
    message = found(room=changed(hold_room, otherwise=None), free_room=None)
    assert only("sagas.E005", message).msg == (
        "tests.CarRefused leaves what TestOuting.room has done: nothing that follows undoes it."
    )


def test_e005_an_undo_that_the_failure_does_not_lead_to_is_none():
    @reacts_to(RoomFreed, emits=[OutingCalledOff], undoes=[RoomHeld], within_seconds=1)
    def elsewhere(freed) -> CallOffOuting: ...

    assert "sagas.E005" in ids(found(free_room=elsewhere))


def test_e006_what_can_be_given_up_can_be_undone():
    message = only(
        "sagas.E006", found(begin=changed(begin, otherwise=rent_car.options["otherwise"]))
    )
    assert message.msg.startswith("TestOuting.begin can be given up")


def test_e007_nobody_waits_for_what_nobody_emits():
    messages = found(room=changed(hold_room, emits=frozenset({RoomRefused}), otherwise=None))
    assert "sagas.E007" in ids(messages)
    [message] = [each for each in messages if each.id == "sagas.E007"]
    assert message.msg == "TestOuting.car waits for tests.RoomHeld, which no reaction emits."
    assert "sagas.E007" not in ids(
        found(room=changed(hold_room, emits=frozenset({RoomRefused})), inputs=(RoomHeld,))
    )


def test_e008_somebody_reacts_to_what_is_emitted_unless_it_is_an_end():
    message = only("sagas.E008", found(begin=None))
    assert message.msg == "Nothing in TestOuting reacts to tests.CarRented, and it is no end."
    assert found(begin=None, completed_by=(CarRented,)) == []
    assert found(begin=None, ends=(CarRented,)) == []


def test_e009_a_circle_has_a_way_out():
    @reacts_to(CarRented, emits=[RoomHeld], within_seconds=1)
    def again(rented) -> HoldRoom: ...

    @reacts_to(RoomHeld, emits=[CarRented], within_seconds=1)
    def rent(held) -> RentCar: ...

    class Round(Choreography):
        saga_type = "TestRound"
        key = "outing_id"
        starts_on = RoomHeld
        completed_by = (OutingBegun,)
        turned_back_by = (OutingCalledOff,)
        car = rent
        room = again

    messages = [each for each in of(Round.process) if each.id == "sagas.E009"]
    assert [each.msg.split(",")[0] for each in messages] == [
        "From tests.CarRented on",
        "From tests.RoomHeld on",
    ]


def test_e009_a_circle_that_can_be_left_is_fine():
    @reacts_to(CarReturned, emits=[CarRented, CarRefused], within_seconds=1)
    def another(returned) -> RentCar: ...

    @reacts_to(CarRented, emits=[CarReturned, OutingBegun], within_seconds=1)
    def begin_or_return(rented) -> BeginOuting | ReturnCar: ...

    assert "sagas.E009" not in ids(found(begin=begin_or_return, another=another))


def test_e010_every_reaction_has_a_deadline():
    message = only("sagas.E010", found(free_room=changed(free_room, within_seconds=None)))
    assert message.msg.startswith("TestOuting.free_room has no deadline")


def test_e011_a_deadline_asks_no_other_system():
    def ask(key: str) -> ReturnCar: ...

    message = only("sagas.E011", found(car=changed(rent_car, otherwise=ask)))
    assert "turns back with tests.ReturnCar" in message.msg


def test_w003_events_are_those_of_some_aggregate(monkeypatch):
    monkeypatch.setattr(Outing, "ignored_events", Outing.ignored_events - {RoomFreed})
    message = only("sagas.W003", found())
    assert message.msg == "TestOuting knows tests.RoomFreed, which no aggregate has."


def test_the_process_of_the_shop_is_whole_and_each_of_its_undos_is_needed():
    # Importing it subscribes it, here among no others.
    from orders.sagas.choreographed import OrderProcessingSaga

    process = OrderProcessingSaga.process
    assert of(process) == []
    for reaction in process.reactions:
        if reaction.undoes:
            rest = tuple(each for each in process.reactions if each is not reaction)
            assert ids(of(replace(process, reactions=rest))) & {"sagas.E005", "sagas.E006"}
