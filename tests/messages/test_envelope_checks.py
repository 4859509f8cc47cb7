"""An event whose id, moment or metadata can't be stored is refused by name, before any write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from events.context import MAX_MESSAGE_ID_LENGTH
from events.exceptions import EncodingError
from events.store.base import EventStore
from tests.factories import MOMENT, cart, item_added

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"event_id": "not a uuid"}, "event_id: expected UUID, got str"),
        ({"event_id": None}, "event_id: expected UUID, got NoneType"),
        ({"occurred_on": "2026-03-01T12:00:00Z"}, "occurred_on: expected datetime, got str"),
        ({"occurred_on": MOMENT.replace(tzinfo=None)}, "occurred_on: has no offset from UTC"),
        ({"metadata": "user-1"}, "metadata: expected"),
        ({"metadata": {"user_id": 5}}, "metadata.user_id: expected str, got int"),
        (
            {"metadata": {"correlation_id": b"x"}},
            "metadata.correlation_id: expected str, got bytes",
        ),
        (
            {"metadata": {"causation_id": "x" * (MAX_MESSAGE_ID_LENGTH + 1)}},
            "metadata.causation_id: is longer than 200 characters",
        ),
    ],
)
def test_an_envelope_that_cannot_be_stored_is_refused(store: EventStore, overrides, message):
    with pytest.raises(EncodingError) as caught:
        store.append(cart(), [item_added(), item_added(**overrides)])
    assert str(caught.value).startswith(f"events[1].tests.ItemAdded.{message}")
    assert store.stream_version(cart()) == -1


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"a": {"b": [object()]}}, "a.b[0]: object isn't a JSON value"),
        ({"a": {5: 1}}, "a: the key 5 isn't a string"),
        ({"a": "x\0"}, "a: holds a NUL character"),
        ({"user_id": "\ud800"}, "user_id: holds half of a surrogate pair at 0"),
    ],
)
def test_metadata_that_is_not_json_is_refused_by_path(store: EventStore, metadata, message):
    with pytest.raises(EncodingError) as caught:
        store.append(cart(), [item_added(), item_added(metadata=metadata)])
    assert str(caught.value) == f"events[1].tests.ItemAdded.metadata.{message}"


# The ends of what Python's datetime can name, which are no moments in UTC any more.
@pytest.mark.parametrize(
    "moment",
    [
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
    ],
)
def test_a_moment_that_could_not_be_read_back_is_refused(store: EventStore, moment):
    with pytest.raises(EncodingError, match=r"occurred_on: "):
        store.append(cart(), [item_added(occurred_on=moment)])


@pytest.mark.parametrize(
    "offset",
    [
        timedelta(hours=2),
        timedelta(hours=1, minutes=53, seconds=28),
        timedelta(hours=-23, minutes=-59),
        timedelta(microseconds=1),
    ],
    ids=str,
)
def test_a_moment_with_any_offset_is_read_back_as_the_same_moment(store: EventStore, offset):
    moment = datetime(2026, 3, 1, 12, tzinfo=timezone(offset))
    store.append(cart(), [item_added(occurred_on=moment)])
    [recorded] = store.read_stream(cart())
    assert recorded.occurred_on == moment
    assert recorded.occurred_on.astimezone(UTC) == moment.astimezone(UTC)


@pytest.mark.parametrize(
    ("overrides", "path"),
    [({"metadata": {"big": 10**5000}}, "metadata.big"), ({"quantity": 10**5000}, "quantity")],
    ids=["metadata", "data"],
)
def test_an_integer_too_long_to_be_printed_is_refused_by_path(store, overrides, path):
    with pytest.raises(EncodingError) as caught:
        store.append(cart(), [item_added(), item_added(**overrides)])
    assert caught.value.field == f"events[1].tests.ItemAdded.{path}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("p\0n", "holds a NUL character"), ("p\udc00n", "holds half of a surrogate pair at 1")],
    ids=ascii,
)
def test_text_that_cannot_be_stored_is_refused_by_the_path_of_its_field(store, name, reason):
    with pytest.raises(EncodingError) as caught:
        store.append(cart(), [item_added(), item_added(name=name)])
    assert str(caught.value) == f"events[1].tests.ItemAdded.name: {reason}"
