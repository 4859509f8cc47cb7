"""The matrix lets a sound saga pass, and finds what is wrong with the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from events.bus.subscription import subscribe
from events.exceptions import RegistrationError
from events.store.configured import event_store
from events.streams import StreamName
from sagas.decisions import answers, forward
from sagas.inbox import follow_definitions
from sagas.sending import subscribe_to_requests
from sagas.state import Status
from sagas.testing.faults import Kind
from sagas.testing.matrix import FaultCase, fault_matrix

from . import outing, visits
from .outing import plan_outing, variant
from .visits import VISIT, HastyVisit, Visit, VisitPaid, bank, book, book_hastily, mistakes, told

pytestmark = pytest.mark.django_db

CASES = {str(case): case for case in fault_matrix(Visit)}


@pytest.fixture(autouse=True)
def alone(no_other_subscriptions) -> Iterator[None]:
    subscribe_to_requests()
    follow_definitions()
    bank.charges.clear()
    bank.refunds.clear()
    mistakes.clear()
    yield
    mistakes.clear()


def all_adds_up(ending):
    counts = told()
    seats = counts["tests.SeatTaken"] - counts["tests.SeatGivenBack"]
    if ending.status is Status.COMPLETED:
        assert (seats, bank.balance, counts["tests.VisitConfirmed"]) == (1, 1, 1)
    else:
        assert (seats, bank.balance, counts["tests.VisitCancelled"]) == (0, 0, 1)


def failure_of(case, **options):
    with pytest.raises(AssertionError) as caught:
        case.run(book, **options)
    return caught.value


# --- what there is ---


def test_the_cases_follow_from_the_declaration():
    assert [name for name in CASES if name.startswith(("start", "pay"))] == [
        "start.event_duplicated",
        "pay.rejected",
        "pay.fails",
        "pay.breaks_off",
        "pay.times_out",
        "pay.answer_delayed",
        "pay.turned_back",
        "pay.overtaken_by_undo",
        "pay.fails_once",
        "pay.breaks_off_once",
        "pay.times_out_once",
        "pay.answer_reordered",
        "pay.executed_twice",
        "pay.command_duplicated",
        "pay.answer_duplicated",
        "pay.crash_before_effects",
        "pay.crash_after_effects",
        "pay.crash_before_answer",
        "pay.crash_after_answer",
        "pay.undo.fails_once",
        "pay.undo.breaks_off_once",
        "pay.undo.times_out_once",
        "pay.undo.executed_twice",
        "pay.undo.command_duplicated",
        "pay.undo.crash_before_request",
        "pay.undo.crash_after_request",
        "pay.undo.crash_before_effects",
        "pay.undo.crash_after_effects",
        "pay.undo.crash_before_answer",
        "pay.undo.crash_after_answer",
        "start.undo.fails_once",
        "start.undo.times_out_once",
        "start.undo.executed_twice",
        "start.undo.command_duplicated",
        "start.undo.crash_before_request",
        "start.undo.crash_after_request",
        "start.undo.crash_before_answer",
        "start.undo.crash_after_answer",
    ]


def test_what_the_declaration_rules_out_is_no_case():
    names = {name.partition(".")[2] for name in CASES if name.startswith("confirm.")}
    assert "rejected_once" in names
    assert not names & {"rejected", "fails", "times_out", "answer_delayed", "overtaken_by_undo"}
    # What the handler did, and that the saga knows of it, is one commit.
    assert "crash_before_effects" not in names
    # Nobody is asked but the database, where an undo comes after what it undoes.
    assert "seat.overtaken_by_undo" not in CASES


def test_what_is_no_saga_has_no_matrix():
    with pytest.raises(RegistrationError, match="neither an Orchestrator nor a Choreography"):
        fault_matrix(str)


# --- a sound saga ---


@pytest.mark.parametrize("name", CASES)
def test_a_sound_saga_ends_well_in_each_case(name):
    ending = CASES[name].run(book, holds=[all_adds_up])
    assert (ending.key, ending.status) == (VISIT, CASES[name].fault.ends_in)


@pytest.mark.parametrize(
    "fault",
    [case for case in fault_matrix(HastyVisit) if not (case.fault.turn or case.fault.commit)],
    ids=str,
)
def test_so_does_one_with_parallel_steps(fault):
    fault.run(book_hastily, holds=[all_adds_up])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "name", ["seat.crash_after_effects", "pay.crash_before_effects", "pay.undo.crash_before_answer"]
)
def test_crashes_are_the_same_where_transactions_are_real(name):
    CASES[name].run(book, holds=[all_adds_up])


# --- sagas with a mistake ---


@pytest.mark.parametrize(
    ("mistake", "name"),
    [
        ("takes a seat each time", "seat.executed_twice"),
        ("takes a seat each time", "seat.answer_reordered"),
        ("keeps the seat", "pay.rejected"),
        ("keeps the seat", "seat.undo.fails_once"),
        ("charges under any key", "pay.executed_twice"),
        ("charges under any key", "pay.breaks_off_once"),
        ("charges under any key", "pay.crash_before_effects"),
        ("refunds only what it knows of", "pay.breaks_off"),
        ("refunds only once", "pay.overtaken_by_undo"),
        ("confirms in memory", "confirm.crash_before_answer"),
        ("confirms in memory", "confirm.executed_twice"),
        ("confirms only once", "confirm.executed_twice"),
    ],
)
def test_a_mistake_is_found_where_it_matters(mistake, name):
    mistakes.add(mistake)
    error = failure_of(CASES[name], holds=[all_adds_up])
    assert f"{name} of TestVisit:{VISIT}" in error.__notes__[0]


def test_who_acts_on_each_answer_is_found_when_one_comes_twice():
    def give_points(recorded):
        points = StreamName("Points", VISIT)
        event_store().append(points, [VisitPaid(visit_id="points")])

    def points_are_given_once(ending):
        points = event_store().read_stream(StreamName("Points", VISIT))
        assert len(list(points)) == 1

    mistakes.add("takes a seat each time")
    subscribe("tests.SeatTaken", give_points, name="tests.points")
    failure_of(CASES["seat.executed_twice"], holds=[points_are_given_once])


# --- how a case fails by itself ---


def test_a_point_that_is_not_reached_fails_the_case(monkeypatch):
    monkeypatch.setattr(visits.bank, "charge", lambda key: "declined")
    error = failure_of(CASES["confirm.executed_twice"])
    assert "confirm.executed_twice was not reached" in str(error)
    assert any("SagaStepRejected step=pay" in note for note in error.__notes__)


def test_a_saga_that_advances_twice_fails_the_case(monkeypatch):
    def success(draft, step, direction, attempt, answer_id, learned):
        forward.succeeded(draft, step, attempt or 1, answer_id, learned)

    monkeypatch.setattr(answers, "_success", success)
    error = failure_of(CASES["seat.answer_duplicated"])
    assert "seat let the saga advance more than once" in str(error)


def test_another_end_than_the_fault_leads_to_fails_the_case(monkeypatch):
    monkeypatch.setattr(visits.bank, "refund", lambda key: 1 / 0)
    error = failure_of(CASES["pay.fails"])
    assert "should be compensated in the end, but is needs_intervention" in str(error)


def test_a_dead_letter_fails_the_case():
    def fail(recorded):
        raise ValueError("a bug")

    subscribe("tests.SeatTaken", fail, name="tests.failing")
    assert "ValueError: a bug" in str(failure_of(CASES["seat.fails_once"]))


def test_a_start_that_starts_nothing_fails_the_case():
    with pytest.raises(AssertionError, match="start has to begin one TestVisit"):
        CASES["pay.fails"].run(lambda: None)


# --- without a conductor ---


def outings(name: str) -> FaultCase:
    return next(case for case in fault_matrix(variant()) if str(case) == name)


def told_of_the_car() -> list[str]:
    stream = StreamName("Car", outing.OUTING)
    return [each.event_type for each in event_store().read_stream(stream)]


def test_the_cases_of_a_choreography_follow_from_its_reactions(choreographed):
    cases = fault_matrix(variant())
    assert {case.fault.step for case in cases} == {
        *("room", "car", "begin", "free_room", "return_car")
    }
    assert {case.fault.turn.step for case in cases if case.fault.turn} == {"car"}
    assert {str(case) for case in cases if case.fault.kind is Kind.BREAKS_OFF} == {
        "car.breaks_off_once",
        "return_car.undo.breaks_off_once",
    }


def test_a_duplicate_answer_that_advances_twice_is_found(choreographed):
    def one_car_is_rented(ending):
        assert told_of_the_car() == ["tests.CarRented"]

    with pytest.raises(AssertionError):
        outings("room.executed_twice").run(plan_outing, holds=[one_car_is_rented])


def test_a_reaction_that_comes_after_its_undo_is_found(choreographed):
    def no_car_is_left(ending):
        assert told_of_the_car()[-1] == "tests.CarReturned"

    with pytest.raises(AssertionError):
        outings("car.event_delayed").run(plan_outing, holds=[no_car_is_left])


def test_crashes_of_reactions_leave_one_effect(choreographed):
    def one_car_is_rented(ending):
        assert told_of_the_car() == ["tests.CarRented"]

    outings("car.crash_after_effects").run(plan_outing, holds=[one_car_is_rented])


def test_an_undo_without_anything_that_turns_back_is_no_case(choreographed):
    hasty = outing.changed(outing.hold_room, otherwise=None)
    patient = outing.changed(outing.rent_car, otherwise=None)
    cases = fault_matrix(variant(room=hasty, car=patient))
    assert {case.fault.step for case in cases} == {"room", "car", "begin"}
