"""A command is tried again when its stream changed meanwhile, or when the database gave up."""

from __future__ import annotations

import time
from functools import partial

import pytest
from django.db import OperationalError, connection, transaction
from django.test import override_settings

from events.command_bus import CommandBus
from events.exceptions import ConcurrencyError, StaleVersion
from events.store.configured import event_store
from events.streams import ExpectedVersion, StreamName
from tests.commands.shelf import (
    BookShelved,
    Shelf,
    ShelveBook,
    record_count,
    shelve,
    shelves,
    titles,
)
from tests.processes import new_event, run_at_once

COMMAND = ShelveBook(shelf="a", title="Edda")
STREAM = StreamName("Shelf", "a")


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    """How long the bus has waited between its attempts; it doesn't really."""
    waited: list[float] = []
    monkeypatch.setattr("events.command_bus.time.sleep", waited.append)
    return waited


class FailingFirst:
    """A handler that fails so many times, and counts its attempts."""

    def __init__(self, times: int, fail) -> None:
        self.attempts = 0
        self._times = times
        self._fail = fail
        self.__qualname__ = type(self).__qualname__

    def __call__(self, command: ShelveBook) -> int:
        self.attempts += 1
        shelf = shelves.find(command.shelf) or Shelf(command.shelf)
        shelf.shelve(command.title)
        shelves.save(shelf)
        if self.attempts <= self._times:
            self._fail()
        return self.attempts


def dispatch_to(handler, **options):
    bus = CommandBus()
    bus.register(ShelveBook, handler)
    return bus.dispatch(COMMAND, **options)


def conflict() -> None:
    event_store().append(
        STREAM, [BookShelved(title="x")], expected_version=ExpectedVersion.NO_STREAM
    )


@pytest.mark.django_db
def test_a_conflict_is_rolled_back_and_tried_again(pauses):
    handler = FailingFirst(2, conflict)
    assert dispatch_to(handler).value == 3
    assert titles() == ["Edda"]
    assert len(pauses) == 2


@pytest.mark.django_db
def test_the_answer_names_the_appends_of_the_last_attempt_only(pauses):
    result = dispatch_to(FailingFirst(2, conflict))
    assert [append.version for append in result.appended] == [0]


@pytest.mark.django_db
@pytest.mark.parametrize("attempts", [1, 3])
def test_the_attempts_are_bounded_and_the_last_conflict_is_raised(pauses, attempts):
    handler = FailingFirst(100, conflict)
    with (
        override_settings(EVENTS={"command_attempts": attempts}),
        pytest.raises(ConcurrencyError, match=r"Expected Shelf-a at version NO_STREAM") as caught,
    ):
        dispatch_to(handler)
    assert handler.attempts == attempts
    assert caught.value.stream == STREAM
    assert titles() == []
    assert len(pauses) == attempts - 1


@pytest.mark.django_db
def test_five_attempts_are_the_default(pauses):
    handler = FailingFirst(100, conflict)
    with pytest.raises(ConcurrencyError):
        dispatch_to(handler)
    assert handler.attempts == 5


@pytest.mark.django_db
def test_the_pause_doubles_and_is_spread_by_chance(pauses):
    settings = {"command_attempts": 4, "command_retry_delay_seconds": 0.5}
    for _ in range(50):
        with override_settings(EVENTS=settings), pytest.raises(ConcurrencyError):
            dispatch_to(FailingFirst(100, conflict))
    for index, longest in enumerate([0.5, 1.0, 2.0]):
        waited = pauses[index::3]
        assert 0 <= min(waited) < longest / 2 < max(waited) <= longest
        assert len(set(waited)) > 10


@pytest.mark.django_db
def test_a_version_that_the_caller_named_is_not_tried_again(pauses):
    def fail():
        raise StaleVersion(STREAM, 3, 4)

    handler = FailingFirst(100, fail)
    with pytest.raises(StaleVersion):
        dispatch_to(handler)
    assert handler.attempts == 1


@pytest.mark.django_db
@pytest.mark.parametrize("error", [ZeroDivisionError, OperationalError, ValueError])
def test_an_error_that_is_no_conflict_is_not_tried_again(pauses, error):
    def fail():
        raise error("broken")

    handler = FailingFirst(100, fail)
    with pytest.raises(error):
        dispatch_to(handler)
    assert handler.attempts == 1


# --- what the database gives up ---


class ServerError(Exception):
    """As a driver raises it."""

    def __init__(self, **attributes: str) -> None:
        vars(self).update(attributes)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "cause",
    [{"sqlstate": "40001"}, {"sqlstate": "40P01"}, {"pgcode": "40P01"}],
    ids=["serialization failure", "deadlock", "deadlock by psycopg2"],
)
def test_a_transaction_that_the_database_gave_up_is_tried_again(pauses, cause):
    def fail():
        raise OperationalError("gave up") from ServerError(**cause)

    handler = FailingFirst(2, fail)
    assert dispatch_to(handler).value == 3
    assert titles() == ["Edda"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sqlstate", ["57014", "08006"], ids=["canceled", "lost connection"])
def test_another_error_of_the_database_is_not_tried_again(pauses, sqlstate):
    def fail():
        raise OperationalError("gone") from ServerError(sqlstate=sqlstate)

    handler = FailingFirst(1, fail)
    with pytest.raises(OperationalError):
        dispatch_to(handler)
    assert handler.attempts == 1


@pytest.mark.django_db(transaction=True)
def test_within_an_outer_transaction_that_is_gone_nothing_is_tried_again(pauses):
    def fail():
        raise OperationalError("gave up") from ServerError(sqlstate="40P01")

    handler = FailingFirst(1, fail)
    with pytest.raises(OperationalError), transaction.atomic():
        dispatch_to(handler)
    assert handler.attempts == 1


# --- with other processes ---


def shelve_often(name: str, count: int) -> int:
    with override_settings(EVENTS={"command_attempts": 50}):
        for number in range(count):
            shelve(title=f"{name} {number}")
    return count


@pytest.mark.django_db(transaction=True)
def test_writers_of_one_stream_all_get_through_and_none_is_lost():
    run_at_once([partial(shelve_often, name, 15) for name in ("ann", "bob", "eve")])
    assert sorted(titles()) == sorted(
        f"{name} {number}" for name in ("ann", "bob", "eve") for number in range(15)
    )
    for name in ("ann", "bob", "eve"):
        own = [title for title in titles() if title.startswith(name)]
        assert own == [f"{name} {number}" for number in range(15)]


def cross(first: str, second: str, mine, others) -> int:
    """Locks two streams in this order; meets the other process between the two, once."""

    attempts = 0

    def handler(command: ShelveBook) -> None:
        nonlocal attempts
        attempts += 1
        for shelf in (first, second):
            event_store().append(StreamName("Shelf", shelf), [BookShelved(title=first)])
            if shelf == first:
                mine.set()
                assert others.wait(30)

    bus = CommandBus()
    bus.register(ShelveBook, handler)
    bus.dispatch(COMMAND)
    return attempts


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_commands_in_a_deadlock_one_is_tried_again_and_both_get_through():
    one, other = new_event(), new_event()
    attempts = run_at_once(
        [partial(cross, "a", "b", one, other), partial(cross, "b", "a", other, one)]
    )
    assert sorted(attempts) == [1, 2]
    assert sorted(titles("a")) == sorted(titles("b")) == ["a", "b"]


@pytest.mark.django_db
def test_the_bus_really_waits(monkeypatch):
    started = time.monotonic()
    monkeypatch.setattr("events.command_bus.random.uniform", lambda low, high: high)
    with override_settings(EVENTS={"command_retry_delay_seconds": 0.05}):
        dispatch_to(FailingFirst(1, conflict))
    assert time.monotonic() - started >= 0.05


@pytest.mark.django_db
def test_no_attempt_leaves_a_savepoint_or_a_record_behind(pauses):
    with pytest.raises(ConcurrencyError):
        dispatch_to(FailingFirst(100, conflict))
    assert connection.savepoint_ids == [] or len(connection.savepoint_ids) == 1
    assert record_count() == 0
