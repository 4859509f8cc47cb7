"""From a command to its handler, in one transaction."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection, transaction
from django.test import override_settings

from events.command_bus import CommandBus
from events.context import current_context, message_context
from events.exceptions import (
    CommandRefused,
    EncodingError,
    HandlerNotRegistered,
    InvalidAnswer,
    RegistrationError,
)
from events.messages import Command
from events.store.configured import event_store
from events.streams import StreamName
from tests.commands.shelf import (
    BookShelved,
    Shelf,
    ShelfIsFull,
    ShelveBook,
    ShelveBooks,
    bus,
    record_count,
    shelve,
    shelves,
    titles,
)

pytestmark = pytest.mark.django_db

COMMAND = ShelveBook(shelf="a", title="Edda")


def dispatch_to(handler, sent: Command = COMMAND, **options):
    own_bus = CommandBus()
    own_bus.register(type(sent), handler)
    return own_bus.dispatch(sent, **options)


def shelve_directly(title: str, shelf: str = "a") -> None:
    event_store().append(StreamName("Shelf", shelf), [BookShelved(title=title)])


def test_the_answer_is_what_the_handler_returned_and_what_was_appended():
    result = shelve()
    assert result.value == {"version": 0}
    assert result.command_id.version == 7
    assert not result.replayed
    [append] = result.appended
    assert (append.stream, append.version) == (StreamName("Shelf", "a"), 0)
    [recorded] = event_store().read_stream(append.stream)
    assert append.positions == (recorded.position,)
    assert append.recorded_at == recorded.recorded_at


def test_a_handler_may_append_to_several_streams_and_return_nothing():
    def handler(command):
        for title in ("a", "b"):
            shelve_directly(title, shelf=title)

    result = dispatch_to(handler)
    assert result.value is None
    assert [str(append.stream) for append in result.appended] == ["Shelf-a", "Shelf-b"]


def test_a_handler_may_decide_that_there_is_nothing_to_do():
    result = dispatch_to(lambda command: "nothing to do")
    assert (result.value, result.appended) == ("nothing to do", ())


def test_a_command_without_an_id_leaves_no_record():
    shelve()
    assert record_count() == 0


def test_a_command_without_a_handler_is_named_with_what_to_do():
    with pytest.raises(
        HandlerNotRegistered, match=r"tests\.ShelveBook: decorate one with @handles"
    ):
        CommandBus().dispatch(COMMAND)


def test_a_command_that_is_not_registered_is_named():
    class Undeclared(ShelveBook):
        pass

    with pytest.raises(RegistrationError, match="Undeclared"):
        bus.dispatch(Undeclared(shelf="a", title="b"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": 5}, "tests.ShelveBook.title: expected str, got int 5"),
        ({"title": ""}, "tests.ShelveBook.title: is shorter than 1"),
        ({"shelf": "a\0"}, "tests.ShelveBook.shelf: holds a NUL character"),
    ],
)
def test_a_command_that_does_not_fit_is_refused_by_path_before_the_handler_runs(changes, message):
    with pytest.raises(EncodingError) as caught:
        dispatch_to(lambda command: pytest.fail("the handler ran"), replace(COMMAND, **changes))
    assert str(caught.value) == message


def test_a_value_deep_in_a_command_is_refused_by_its_path():
    titles_of_mixed_types = {"Edda": 1, "Njála": "2"}
    with pytest.raises(EncodingError) as caught:
        bus.dispatch(ShelveBooks(shelf="a", titles=titles_of_mixed_types))
    assert str(caught.value) == "tests.ShelveBooks.titles.Njála: expected int, got str '2'"


# --- answers ---


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"day": object()}, r"result of .*handler\.day: object isn't a JSON value"),
        ({1: 2}, r"result of .*handler: the key 1 isn't a string"),
        (float("nan"), r"result of .*handler: nan isn't a JSON number"),
        ([(1, 2)], r"result of .*handler\[0\]: tuple isn't a JSON value"),
    ],
)
def test_an_answer_that_could_not_be_recorded_is_refused_and_nothing_is_kept(value, message):
    def handler(command):
        shelve_directly("x")
        return value

    with pytest.raises(InvalidAnswer, match=message):
        dispatch_to(handler)
    assert titles() == []


def test_a_handler_may_be_any_callable():
    class Handler:
        def __call__(self, command):
            return object()

    with pytest.raises(InvalidAnswer, match=r"result of .*Handler"):
        dispatch_to(Handler())


# --- the transaction ---


def test_the_handler_runs_in_a_transaction():
    assert dispatch_to(lambda command: connection.in_atomic_block).value is True


def test_an_error_in_the_handler_undoes_what_it_did_and_reaches_the_caller():
    def handler(command):
        shelve_directly("x")
        return 1 / 0

    with pytest.raises(ZeroDivisionError):
        dispatch_to(handler)
    assert titles() == []


def test_a_refusal_undoes_what_the_handler_did_and_reaches_the_caller_as_it_is():
    def handler(command):
        shelve_directly("x")
        raise ShelfIsFull("There is no room.", room=0)

    with pytest.raises(ShelfIsFull, match=r"^There is no room\.$") as caught:
        dispatch_to(handler)
    assert caught.value.code == "shelf_is_full"
    assert caught.value.details == {"room": 0}
    assert titles() == []


def test_a_refusal_inside_of_a_transaction_leaves_it_usable():
    with transaction.atomic():
        shelve(title="before")
        with pytest.raises(ShelfIsFull):
            shelve(title="one too many")
        shelve(title="after")
    assert titles() == ["before", "after"]


def test_a_command_is_undone_with_the_transaction_around_it():
    with transaction.atomic():
        shelve()
        transaction.set_rollback(True)
    assert titles() == []


def test_a_refusal_has_the_code_of_its_class():
    assert CommandRefused("No.").code == "refused"
    assert ShelfIsFull("No.").code == ShelfIsFull.code == "shelf_is_full"


# --- the context ---


def metadata(shelf: str = "a") -> list[dict]:
    stream = StreamName("Shelf", shelf)
    return [dict(recorded.metadata) for recorded in event_store().read_stream(stream)]


def test_the_events_of_a_command_carry_its_type_its_id_and_the_users():
    with message_context(correlation_id="c", user_id="ann"):
        result = shelve()
    assert metadata() == [
        {
            "correlation_id": "c",
            "causation_id": str(result.command_id),
            "user_id": "ann",
            "command_type": "tests.ShelveBook",
        }
    ]


def test_a_command_outside_of_any_conversation_starts_one_of_its_own_id():
    result = shelve()
    [stored] = metadata()
    assert stored["correlation_id"] == stored["causation_id"] == str(result.command_id)
    assert stored["user_id"] is None


def test_the_context_of_a_command_ends_with_it():
    with message_context(user_id="ann") as outer:
        shelve()
        with pytest.raises(ShelfIsFull):
            shelve(title="one too many")
        assert current_context() is outer


def dispatch_within(command):
    """A handler that sends another command in the middle of its own work."""
    shelve_directly("first")
    inner = shelve(shelf="b", title="second")
    shelve_directly("third")
    return str(inner.command_id)


def test_a_command_sent_by_a_handler_is_part_of_the_conversation():
    with message_context(user_id="ann"):
        outer = dispatch_to(dispatch_within)
    first, third = metadata("a")
    [second] = metadata("b")
    assert first == third
    assert first["causation_id"] == first["correlation_id"] == str(outer.command_id)
    assert second == {
        "correlation_id": str(outer.command_id),
        "causation_id": outer.value,
        "user_id": "ann",
        "command_type": "tests.ShelveBook",
        "command_causation_id": str(outer.command_id),
    }
    assert "command_causation_id" not in first


def test_each_command_in_a_chain_of_commands_names_the_one_before():
    def dispatch_once_more(command):
        return dispatch_to(dispatch_within).value

    with message_context(causation_id="an event"):
        outer = dispatch_to(dispatch_once_more)
    first, third = metadata("a")
    [second] = metadata("b")
    assert first["command_causation_id"] == third["command_causation_id"] == str(outer.command_id)
    assert second["command_causation_id"] == first["causation_id"] != str(outer.command_id)


def test_a_command_sent_for_an_event_names_it():
    with message_context(correlation_id="c", causation_id="an event"):
        result = shelve()
    [stored] = metadata()
    assert stored["causation_id"] == str(result.command_id)
    assert stored["command_causation_id"] == "an event"


def test_the_answer_names_what_a_command_sent_by_the_handler_appended():
    outer = dispatch_to(dispatch_within)
    assert [str(append.stream) for append in outer.appended] == ["Shelf-a", "Shelf-b", "Shelf-a"]


def test_a_refused_command_sent_by_a_handler_undoes_only_its_own_work():
    def handler(command):
        shelve_directly("kept")
        with pytest.raises(ShelfIsFull):
            shelve(shelf="b", title="one too many")

    result = dispatch_to(handler)
    assert titles("a") == ["kept"]
    assert [str(append.stream) for append in result.appended] == ["Shelf-a"]


def test_the_handler_sees_the_context_of_its_command():
    with message_context(user_id="ann", source="import"):
        seen = dispatch_to(lambda command: current_context().metadata()).value
    assert seen["user_id"] == "ann"
    assert seen["source"] == "import"
    assert seen["command_type"] == "tests.ShelveBook"


@override_settings(EVENTS={"snapshot_every": 1})
def test_an_aggregate_is_saved_with_its_snapshot_in_the_commands_transaction():
    shelve()
    assert event_store().find_snapshot(Shelf("a").stream) is not None
    assert shelves.load("a").titles == ("Edda",)
