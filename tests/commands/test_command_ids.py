"""The same command id is answered from the record of the first; see docs/adr/0004."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import pytest
from django.db import transaction

from events.command_bus import CommandBus
from events.command_records import CommandRecords
from events.context import message_context
from events.exceptions import (
    CommandIdReused,
    CommandRefused,
    ConcurrencyError,
    EncodingError,
    EventsError,
    InvalidAnswer,
    InvalidInput,
)
from events.models import CommandRecord
from events.store.configured import event_store
from events.streams import StreamName
from tests.commands.shelf import (
    BookShelved,
    ShelfIsFull,
    ShelveBook,
    ShelveBooks,
    bus,
    record_count,
    shelve,
    titles,
)

pytestmark = pytest.mark.django_db

ID = UUID(int=1)
COMMAND = ShelveBook(shelf="a", title="Edda")


class Mood(StrEnum):
    GOOD = "good"


class Counted:
    """A bus whose handler counts its runs, and then does as it is told."""

    def __init__(self, action=lambda: None) -> None:
        self.runs = 0
        self.action = action
        self._bus = CommandBus()
        self._bus.register(ShelveBook, self._handle)

    def _handle(self, command):
        self.runs += 1
        event_store().append(StreamName("Shelf", "a"), [BookShelved(title=command.title)])
        return self.action()

    def dispatch(self, command_id: UUID | None = ID, command=COMMAND, sent=None):
        return self._bus.dispatch(command, command_id=command_id, sent=sent)


def test_the_same_id_is_answered_again_without_running_the_handler():
    counted = Counted(lambda: {"n": [1, None, "x"]})
    first, second, third = (counted.dispatch() for _ in range(3))
    assert counted.runs == 1
    assert not first.replayed
    for again in (second, third):
        assert again.replayed
        assert (again.value, again.command_id) == (first.value, ID)
        assert type(again.appended) is type(first.appended)
        for before, after in zip(first.appended, again.appended, strict=True):
            assert after.replayed
            assert (after.stream, after.version) == (before.stream, before.version)
            assert (after.positions, after.recorded_at) == (before.positions, before.recorded_at)
    assert titles() == ["Edda"]
    assert record_count() == 1


def test_another_id_runs_the_handler_again():
    counted = Counted()
    for number in range(3):
        counted.dispatch(UUID(int=number))
    assert counted.runs == record_count() == 3


def test_the_id_is_the_cause_of_the_events():
    Counted().dispatch()
    [recorded] = event_store().read_stream(StreamName("Shelf", "a"))
    assert recorded.metadata["causation_id"] == str(ID)


@pytest.mark.parametrize(
    "value", [None, True, 0, 1.5, "", [], {}, {"a": [{"b": None}]}, "\u2028🦊"], ids=repr
)
def test_each_json_answer_is_the_same_when_it_is_repeated(value):
    counted = Counted(lambda: value)
    first, second = counted.dispatch(), counted.dispatch()
    assert first.value == second.value == value
    assert type(first.value) is type(second.value)


@pytest.mark.parametrize("value", [(1, 2), {"mood": Mood.GOOD}], ids=["tuple", "enum"])
def test_an_answer_that_would_be_another_when_repeated_is_refused(value):
    with pytest.raises(InvalidAnswer, match="isn't a JSON value"):
        Counted(lambda: value).dispatch()
    assert record_count() == 0


# --- other content ---


@pytest.mark.parametrize(
    "other",
    [
        ShelveBook(shelf="a", title="Njála"),
        ShelveBook(shelf="b", title="Edda"),
        ShelveBooks(shelf="a", titles={"Edda": 1}),
    ],
    ids=repr,
)
def test_the_id_of_another_command_is_refused(other):
    shelve(command_id=ID)
    with pytest.raises(CommandIdReused, match=str(ID)) as e:
        bus.dispatch(other, command_id=ID)
    assert e.value.command_id == ID
    assert not isinstance(e.value, CommandRefused)
    assert (titles("a"), titles("b")) == (["Edda"], [])


def test_the_id_of_another_refused_command_is_refused():
    with pytest.raises(ShelfIsFull):
        shelve(title="one too many", command_id=ID)
    with pytest.raises(CommandIdReused):
        shelve(title="Edda", command_id=ID)


def test_equal_commands_are_the_same_whatever_the_order_of_their_keys():
    one = ShelveBooks(shelf="a", titles={"Edda": 1, "Njála": 2})
    other = ShelveBooks(shelf="a", titles={"Njála": 2, "Edda": 1})
    assert one == other
    bus.dispatch(one, command_id=ID)
    assert bus.dispatch(other, command_id=ID).replayed
    assert len(titles()) == 2


# --- what was sent ---


def test_a_repetition_is_known_by_what_was_sent_whatever_was_made_up_for_the_rest():
    counted = Counted()
    counted.dispatch(sent={"title": "Edda"})
    made_up = ShelveBook(shelf="made up anew", title="Edda")
    assert counted.dispatch(command=made_up, sent={"title": "Edda"}).replayed
    assert counted.runs == 1
    for other in ({"title": "Edda", "shelf": "a"}, {}, None):
        with pytest.raises(CommandIdReused):
            counted.dispatch(sent=other)


def test_the_same_content_of_another_command_is_another_command():
    bus.dispatch(COMMAND, command_id=ID, sent={})
    with pytest.raises(CommandIdReused):
        bus.dispatch(ShelveBooks(shelf="a", titles={}), command_id=ID, sent={})


@pytest.mark.parametrize("sent", [{"at": datetime(2026, 3, 1, tzinfo=UTC)}, {"a": [{1}]}], ids=repr)
def test_what_was_sent_is_refused_by_name_where_it_is_no_json(sent):
    with pytest.raises(InvalidInput) as caught:
        Counted().dispatch(sent=sent)
    assert caught.value.field in ("sent.at", "sent.a[0]")
    assert titles() == []


def test_an_answer_names_the_conversation_of_its_events_also_when_it_is_repeated():
    counted = Counted()
    with message_context(correlation_id="talk-1"):
        first = counted.dispatch()
    with message_context(correlation_id="talk-2"):
        second = counted.dispatch()
    [recorded] = event_store().read_stream(StreamName("Shelf", "a"))
    assert first.correlation_id == second.correlation_id == "talk-1"
    assert recorded.metadata["correlation_id"] == "talk-1"


def test_a_command_outside_of_any_conversation_starts_one_with_its_id():
    assert Counted().dispatch().correlation_id == str(ID)


# --- refusals ---


def refuse():
    raise ShelfIsFull("There is no room.", room=0, since=None)


def test_a_refusal_is_recorded_and_given_again_with_its_code():
    counted = Counted(refuse)
    with pytest.raises(ShelfIsFull) as first:
        counted.dispatch()
    assert not first.value.replayed
    for _ in range(2):
        with pytest.raises(CommandRefused) as caught:
            counted.dispatch()
        assert caught.value.replayed
        assert caught.value.code == "shelf_is_full"
        assert str(caught.value) == caught.value.message == "There is no room."
        assert caught.value.details == {"room": 0, "since": None}
    assert counted.runs == 1
    assert titles() == []


def test_what_was_refused_stays_refused_although_it_would_be_accepted_now():
    counted = Counted(refuse)
    with pytest.raises(ShelfIsFull):
        counted.dispatch()
    counted.action = lambda: "accepted"
    with pytest.raises(CommandRefused):
        counted.dispatch()
    assert counted.dispatch(UUID(int=2)).value == "accepted"


def test_a_recorded_refusal_inside_of_a_transaction_leaves_it_usable():
    with transaction.atomic():
        for _ in range(2):
            with pytest.raises(CommandRefused):
                shelve(title="one too many", command_id=ID)
        shelve(title="after")
    assert titles() == ["after"]
    assert record_count() == 1


def test_a_refusal_that_comes_too_late_gives_the_answer_that_was_recorded_meanwhile(monkeypatch):
    counted = Counted(refuse)
    record_refusal = CommandRecords.refuse

    def be_overtaken(records, refusal):
        monkeypatch.setattr(CommandRecords, "refuse", record_refusal)
        counted.action = lambda: "the other's"
        counted.dispatch()
        return records.refuse(refusal)

    monkeypatch.setattr(CommandRecords, "refuse", be_overtaken)
    with transaction.atomic():
        result = counted.dispatch()
        shelve(title="after")
    assert (result.value, result.replayed) == ("the other's", True)
    assert titles() == ["Edda", "after"]


def test_a_recorded_answer_inside_of_a_transaction_leaves_it_usable():
    with transaction.atomic():
        shelve(command_id=ID)
        assert shelve(command_id=ID).replayed
        shelve(title="after")
    assert titles() == ["Edda", "after"]


def test_a_refusal_whose_details_are_not_json_is_refused_by_name():
    def refuse_badly():
        raise ShelfIsFull("There is no room.", since=datetime(2026, 3, 1, tzinfo=UTC))

    for command_id in (ID, None):
        with pytest.raises(EventsError, match=r"ShelfIsFull.*since: datetime isn't a JSON value"):
            Counted(refuse_badly).dispatch(command_id)


def test_details_may_be_named_like_parts_of_the_refusal():
    def refuse_by_name():
        refusal = ShelfIsFull("There is no room.")
        refusal.details = {"message": "x", "code": "y", "self": "z"}
        raise refusal

    counted = Counted(refuse_by_name)
    for _ in range(2):
        with pytest.raises(CommandRefused) as caught:
            counted.dispatch()
        assert (caught.value.code, caught.value.message) == ("shelf_is_full", "There is no room.")
        assert caught.value.details == {"message": "x", "code": "y", "self": "z"}


# --- what leaves no record ---


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("bug"), ConcurrencyError(StreamName("Shelf", "a"), 0, 1)], ids=repr
)
def test_an_error_leaves_no_record_and_the_command_can_be_sent_again(error, monkeypatch):
    monkeypatch.setattr("events.command_bus.time.sleep", lambda seconds: None)

    def fail():
        raise error

    counted = Counted(fail)
    with pytest.raises(type(error)):
        counted.dispatch()
    assert (record_count(), titles()) == (0, [])
    counted.action = lambda: "done"
    result = counted.dispatch()
    assert (result.value, result.replayed) == ("done", False)


def test_a_command_that_does_not_fit_leaves_no_record():
    with pytest.raises(EncodingError):
        shelve(title="", command_id=ID)
    assert record_count() == 0


def test_a_record_holds_no_data_of_the_command():
    shelve(title="a secret title", command_id=ID)
    stored = CommandRecord.objects.get()
    assert "secret" not in repr(vars(stored))
    assert stored.command_type == "tests.ShelveBook"
    assert str(stored) == f"tests.ShelveBook {ID}"


def test_a_command_that_a_handler_sends_again_with_its_own_id_is_refused_not_answered_half():
    def resend():
        return counted.dispatch()

    counted = Counted(resend)
    with pytest.raises(EventsError, match=str(ID)):
        counted.dispatch()
    assert (record_count(), titles()) == (0, [])


@pytest.mark.parametrize("command_id", ["", "1", str(ID), 1], ids=repr)
def test_an_id_that_is_no_uuid_is_refused_by_name(command_id):
    with pytest.raises(InvalidInput) as caught:
        shelve(command_id=command_id)
    assert caught.value.field == "command_id"
    assert titles() == []


def test_an_id_of_any_version_of_uuid_is_fine():
    for command_id in (uuid.uuid4(), uuid.uuid5(uuid.NAMESPACE_DNS, "example.org"), UUID(int=0)):
        shelve(command_id=command_id)
        assert shelve(command_id=command_id).replayed
