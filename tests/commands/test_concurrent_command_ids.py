"""One command id in several processes at once, and in processes that die."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction

from events.command_bus import CommandBus
from events.exceptions import CommandRefused
from events.store.configured import event_store
from events.streams import StreamName
from tests.commands.shelf import (
    BookShelved,
    ShelfIsFull,
    ShelveBook,
    record_count,
    shelve,
    titles,
)
from tests.processes import eventually, new_event, new_number, run_at_once, running

pytestmark = pytest.mark.django_db(transaction=True)

ID = UUID(int=1)
COMMAND = ShelveBook(shelf="a", title="Edda")


def append() -> None:
    event_store().append(StreamName("Shelf", "a"), [BookShelved(title="Edda")])


def answer_of(handler, command_id: UUID = ID) -> dict[str, Any]:
    """What a sender gets to know, in a form that passes between processes."""
    bus = CommandBus()
    bus.register(ShelveBook, handler)
    try:
        result = bus.dispatch(COMMAND, command_id=command_id)
    except CommandRefused as refusal:
        return {"code": refusal.code, "details": dict(refusal.details)}
    [appended] = result.appended
    return {
        "value": result.value,
        "positions": appended.positions,
        "recorded_at": appended.recorded_at,
        "replayed": result.replayed,
    }


def send_counted(runs) -> dict[str, Any]:
    def handler(command):
        with runs.get_lock():
            runs.value += 1
        append()
        return os.getpid()

    return answer_of(handler)


def same_for_all(answers: list[dict[str, Any]]) -> bool:
    """But for one, who was the first."""
    firsts = [answer for answer in answers if not answer.pop("replayed")]
    return len(firsts) == 1 and all(answer == answers[0] for answer in answers)


def test_of_many_senders_at_once_one_runs_the_handler_and_all_get_its_answer():
    runs = new_number()
    answers = run_at_once([partial(send_counted, runs)] * 6)
    assert same_for_all(answers)
    assert runs.value == 1
    assert (titles(), record_count()) == (["Edda"], 1)


def test_threads_of_one_process_get_the_same_answer_too():
    runs: list[int] = []

    def handler(command):
        runs.append(1)
        append()
        return "done"

    def send(_):
        try:
            return answer_of(handler)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert same_for_all(answers)
    assert runs == [1]


# --- with a second sender who provably waits for the first ---


def send_when_told(reached, go_on, then) -> dict[str, Any]:
    """A sender whose handler stops in the middle of its work."""

    def handler(command):
        append()
        reached.set()
        assert go_on.wait(30)
        return then()

    return answer_of(handler)


def send_at_once() -> dict[str, Any]:
    def handler(command):
        append()
        return "the second one's"

    return answer_of(handler)


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


def accept() -> str:
    return "the first one's"


def refuse() -> None:
    raise ShelfIsFull("There is no room.", room=0)


def fail() -> None:
    raise ZeroDivisionError


@pytest.mark.postgresql
def test_a_second_sender_waits_for_the_first_and_gets_its_answer():
    reached, go_on = new_event(), new_event()
    with running(send_when_told, reached, go_on, accept) as first:
        assert reached.wait(30)
        with running(send_at_once) as second:
            eventually(somebody_waits_for_a_lock)
            go_on.set()
            answers = [first.result(), second.result()]
    assert [answer["value"] for answer in answers] == ["the first one's"] * 2
    assert same_for_all(answers)
    assert titles() == ["Edda"]


@pytest.mark.postgresql
def test_a_second_sender_runs_when_the_first_is_refused_and_both_get_one_answer():
    """The refusal is not recorded yet when the claim goes: the answer that is recorded counts."""
    reached, go_on = new_event(), new_event()
    with running(send_when_told, reached, go_on, refuse) as first:
        assert reached.wait(30)
        with running(send_at_once) as second:
            eventually(somebody_waits_for_a_lock)
            go_on.set()
            answers = [first.result(), second.result()]
    for answer in answers:
        answer.pop("replayed", None)
    assert answers[0] == answers[1]
    assert titles() in (["Edda"], [])
    assert record_count() == 1


@pytest.mark.postgresql
def test_a_second_sender_runs_when_the_first_fails():
    reached, go_on = new_event(), new_event()
    with running(send_when_told, reached, go_on, fail) as first:
        assert reached.wait(30)
        with running(send_at_once) as second:
            eventually(somebody_waits_for_a_lock)
            go_on.set()
            answer = second.result()
        with pytest.raises(AssertionError, match="ZeroDivisionError"):
            first.result()
    assert (answer["value"], answer["replayed"]) == ("the second one's", False)
    assert titles() == ["Edda"]


@pytest.mark.postgresql
def test_a_sender_killed_in_its_handler_leaves_nothing_and_a_waiting_one_runs():
    reached, never = new_event(), new_event()
    with running(send_when_told, reached, never, accept) as first:
        assert reached.wait(30)
        with running(send_at_once) as second:
            eventually(somebody_waits_for_a_lock)
            first.kill()
            answer = second.result()
    assert (answer["value"], answer["replayed"]) == ("the second one's", False)
    assert (titles(), record_count()) == (["Edda"], 1)


def test_a_sender_killed_in_its_handler_can_send_again():
    reached, never = new_event(), new_event()
    with running(send_when_told, reached, never, accept) as first:
        assert reached.wait(30)
        first.kill()
    assert send_at_once()["replayed"] is False
    assert (titles(), record_count()) == (["Edda"], 1)


def test_a_sender_killed_after_the_commit_gets_its_answer_when_it_asks_again():
    answer = run_at_once([partial(send_counted, new_number())])[0]
    again = answer_of(lambda command: pytest.fail("the handler ran"))
    assert again["replayed"]
    assert again["value"] == answer["value"]


def test_an_answer_that_is_rolled_back_by_an_outer_transaction_was_never_given():
    with transaction.atomic():
        shelve(command_id=ID)
        transaction.set_rollback(True)
    assert record_count() == 0
    assert not shelve(command_id=ID).replayed
