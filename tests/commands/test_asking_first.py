"""A handler whose `ask` is called before the transaction, for what no roll-back can undo."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection, transaction

from events.command_bus import CommandBus
from events.context import current_context
from events.exceptions import ConcurrencyError, InvalidInput, OpenTransaction, RegistrationError
from events.streams import StreamName
from tests.commands.shelf import Shelf, ShelfIsFull, ShelveBook, record_count, shelves, titles

pytestmark = pytest.mark.django_db(transaction=True)

ID = UUID(int=1)
COMMAND = ShelveBook(shelf="a", title="Edda")


class Binder:
    """Another system: binds a book, and remembers what it was asked, and where."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.contexts: list[dict] = []
        self.in_transaction: list[bool] = []

    def __call__(self, command: ShelveBook) -> str:
        self.asked.append(command.title)
        self.contexts.append(current_context().metadata())
        self.in_transaction.append(connection.in_atomic_block)
        return f"{command.title}, bound"


@pytest.fixture
def binder() -> Binder:
    return Binder()


def shelve_bound(command: ShelveBook, title: str) -> str:
    assert connection.in_atomic_block
    shelf = shelves.find(command.shelf) or Shelf(command.shelf)
    shelf.shelve(title)
    shelves.save(shelf)
    return title


@pytest.fixture
def bus(binder: Binder) -> CommandBus:
    bus = CommandBus()
    bus.handles(ShelveBook, ask=binder)(shelve_bound)
    return bus


def test_the_outcome_is_handed_to_the_handler(bus, binder):
    assert bus.dispatch(COMMAND).value == "Edda, bound"
    assert titles() == ["Edda, bound"]
    assert binder.in_transaction == [False]


def test_who_is_asked_sees_the_context_of_the_command(bus, binder):
    bus.dispatch(COMMAND, command_id=ID)
    [context] = binder.contexts
    assert (context["causation_id"], context["command_type"]) == (str(ID), "tests.ShelveBook")


def test_nobody_is_asked_again_for_an_answered_command_id(bus, binder):
    first = bus.dispatch(COMMAND, command_id=ID)
    again = bus.dispatch(COMMAND, command_id=ID)
    assert (again.value, again.replayed) == (first.value, True)
    assert binder.asked == ["Edda"]


def test_a_conflict_repeats_the_recording_and_not_the_asking(binder):
    attempts = []

    def handler(command: ShelveBook, title: str) -> None:
        attempts.append(title)
        if len(attempts) < 3:
            raise ConcurrencyError(StreamName("Shelf", "a"), 0, 1)

    bus = CommandBus()
    bus.handles(ShelveBook, ask=binder)(handler)
    bus.dispatch(COMMAND)
    assert attempts == ["Edda, bound"] * 3
    assert binder.asked == ["Edda"]


def test_a_refusal_of_the_outcome_undoes_the_recording(bus, binder):
    with pytest.raises(ShelfIsFull):
        bus.dispatch(COMMAND, outcome="one too many")
    assert (titles(), binder.asked) == ([], [])


@pytest.mark.parametrize("error", [ZeroDivisionError(), ShelfIsFull("Not now.")], ids=repr)
def test_what_the_one_who_is_asked_raises_reaches_the_caller_and_leaves_no_record(error):
    """A refusal of another system may be put right there, and the same command sent again."""
    bus = CommandBus()

    def fail(command: ShelveBook) -> str:
        raise error

    bus.handles(ShelveBook, ask=fail)(shelve_bound)
    with pytest.raises(type(error)):
        bus.dispatch(COMMAND, command_id=ID)
    assert (record_count(), titles()) == (0, [])


def test_nobody_is_asked_in_a_transaction(bus, binder):
    for call in (bus.dispatch, bus.ask):
        with transaction.atomic(), pytest.raises(OpenTransaction, match=r"tests\.ShelveBook asks"):
            call(COMMAND)
    assert binder.asked == []


def test_the_two_halves_can_be_called_apart_to_record_in_a_transaction(bus, binder):
    outcome = bus.ask(COMMAND)
    assert titles() == []
    with transaction.atomic():
        bus.dispatch(COMMAND, outcome=outcome)
    assert titles() == ["Edda, bound"]
    assert binder.asked == ["Edda"]


@pytest.mark.django_db(transaction=False)
def test_a_test_that_runs_in_a_transaction_may_ask(bus, binder):
    bus.dispatch(COMMAND)
    assert binder.in_transaction == [True]


def test_who_asks_is_known(bus):
    plain = CommandBus()
    plain.register(ShelveBook, lambda command: None)
    assert bus.asks_first(ShelveBook)
    assert not plain.asks_first(ShelveBook)
    with pytest.raises(InvalidInput, match=r"tests\.ShelveBook asks nothing"):
        plain.ask(COMMAND)
    with pytest.raises(InvalidInput, match="outcome"):
        plain.dispatch(COMMAND, outcome="Edda, bound")


def test_the_same_handler_with_another_question_is_another_handler(bus):
    with pytest.raises(RegistrationError, match="has two handlers"):
        bus.register(ShelveBook, shelve_bound)
