"""Errors: one root, facts as attributes, whole again on the other side of a process."""

from __future__ import annotations

import pickle
from uuid import UUID

import pytest

from events import exceptions
from events.exceptions import (
    AggregateNotFound,
    CommandIdReused,
    ConcurrencyError,
    DecodingError,
    DuplicateEventId,
    EncodingError,
    EventsError,
    InvalidInput,
    StaleVersion,
    UnknownEventType,
    UpcastingFailed,
    join_path,
)
from events.streams import StreamName
from users.exceptions import EmailTaken, UserIsDeactivated

STREAM = StreamName("Order", "1")
ERRORS = [
    InvalidInput("name", "is empty"),
    DecodingError("items[0]", "is missing"),
    UnknownEventType("Moved", 2),
    UpcastingFailed("Moved", 1, "no upcaster"),
    ConcurrencyError(STREAM, "NO_STREAM", 3),
    StaleVersion(STREAM, 1, 2),
    DuplicateEventId(STREAM, "detail"),
    AggregateNotFound(STREAM),
    CommandIdReused(UUID(int=1)),
    EmailTaken("ann@example.org"),
    UserIsDeactivated("1"),
]


def test_every_error_of_the_app_has_the_same_root():
    classes = [each for each in vars(exceptions).values() if isinstance(each, type)]
    errors = [each for each in classes if issubclass(each, Exception)]
    assert len(errors) > 15
    assert all(issubclass(each, EventsError) for each in errors)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_survives_the_way_to_another_process(error):
    """concurrent.futures breaks down as a whole over one that doesn't."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_bad_input_is_a_value_error_too():
    assert issubclass(InvalidInput, ValueError)


@pytest.mark.parametrize(
    ("outer", "inner", "path"),
    [
        ("items", "[2].price", "items[2].price"),
        ("items", "price", "items.price"),
        ("items", "", "items"),
        ("", "price", "price"),
        ("", "", ""),
    ],
)
def test_a_path_is_written_as_python_would(outer, inner, path):
    assert join_path(outer, inner) == path


def test_an_error_seen_from_further_out_keeps_its_class_and_reason():
    error = DecodingError("[2].price", "is missing").under("items").under("OrderPlaced")
    assert type(error) is DecodingError
    assert (error.field, error.reason) == ("OrderPlaced.items[2].price", "is missing")
    assert not isinstance(EncodingError("a", "b").under("c"), DecodingError)
