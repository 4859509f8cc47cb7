"""An event as JSON outside of the database, with the keys of the guide, in both directions."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from events.context import message_context
from events.envelope import (
    domain_event_from_json,
    domain_event_to_json,
    recorded_event_to_json,
)
from events.exceptions import DecodingError, InvalidInput, UnknownEventType
from events.json_text import to_json_text
from events.messages import DomainEvent
from events.recorded_event import RecordedEvent
from events.registry import event
from events.store.memory import MemoryEventStore
from events.streams import StreamName
from tests.factories import cart, item_added, measured

SEED_KEYS = {
    "eventId",
    "eventType",
    "aggregateId",
    "aggregateType",
    "eventVersion",
    "occurredOn",
    "data",
    "metadata",
}


@event("tests.OrderPriced")
class OrderPriced(DomainEvent):
    user_id: UUID
    total: Decimal


def document(**overrides: Any) -> dict[str, Any]:
    """What `JSON.stringify(event)` of the guide gives."""
    return {
        "eventId": "00000000-0000-0000-0000-000000000007",
        "eventType": "tests.ItemAdded",
        "aggregateId": "cart-1",
        "aggregateType": "Cart",
        "eventVersion": "1.0",
        "occurredOn": "2026-03-01T12:00:00.250Z",
        "data": {"name": "pen", "quantity": 1},
        "metadata": {
            "aggregateType": "Cart",
            "correlationId": "c",
            "causationId": None,
            "userId": "ann",
        },
    } | overrides


def test_a_document_of_the_guide_becomes_an_event():
    stream, read = domain_event_from_json(document())
    assert stream == cart(1)
    assert read == item_added()
    assert read.event_id == UUID(int=7)
    assert read.occurred_on == datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    assert read.metadata == {
        "aggregateType": "Cart",
        "correlation_id": "c",
        "causation_id": None,
        "user_id": "ann",
    }


def test_an_event_becomes_a_document_of_the_guide_and_comes_back():
    _, original = domain_event_from_json(document())
    written = domain_event_to_json(cart(1), original)
    assert written == document(occurredOn="2026-03-01T12:00:00.250000+00:00")
    assert domain_event_to_json(*domain_event_from_json(written)) == written


def test_typed_data_survives_both_directions():
    priced = OrderPriced(user_id=UUID(int=1), total=Decimal("9.90"), metadata={"source": "web"})
    text = to_json_text(domain_event_to_json(StreamName("Order", "1"), priced))
    stream, read = domain_event_from_json(json.loads(text))
    assert (stream, read) == (StreamName("Order", "1"), priced)
    assert (read.event_id, read.occurred_on) == (priced.event_id, priced.occurred_on)
    assert read.metadata["source"] == "web"


def test_an_event_that_is_not_stored_yet_has_the_metadata_that_it_would_be_stored_with():
    with message_context(correlation_id="c", causation_id="m", user_id="ann", source="import"):
        written = domain_event_to_json(cart(), item_added(metadata={"userId_note": "x"}))
    assert written.keys() == SEED_KEYS
    assert written["metadata"] == {
        "correlationId": "c",
        "causationId": "m",
        "userId": "ann",
        "source": "import",
        "userId_note": "x",
    }


def recorded(*events: DomainEvent) -> list[RecordedEvent]:
    store = MemoryEventStore()
    store.append(cart(), events)
    return list(store.read_stream(cart()))


def test_a_recorded_event_adds_its_place():
    with message_context(correlation_id="c", user_id="ann", source="import"):
        _, second = recorded(item_added(), item_added(quantity=2))
    written = recorded_event_to_json(second)
    assert written.keys() == SEED_KEYS | {"sequenceNumber", "position", "recordedAt"}
    assert (written["sequenceNumber"], written["position"]) == (1, 2)
    assert written["recordedAt"] == second.recorded_at.isoformat()
    assert written["metadata"] == {
        "correlationId": "c",
        "causationId": None,
        "userId": "ann",
        "source": "import",
    }
    assert to_json_text(written)


def test_a_recorded_event_comes_back_as_a_domain_event_without_its_place():
    [original] = recorded(item_added(metadata={"note": "x"}))
    stream, read = domain_event_from_json(recorded_event_to_json(original))
    assert (stream, read) == (original.stream, original.event)
    assert read.event_id == original.event_id
    assert read.metadata == original.metadata


def test_a_recorded_event_of_an_unknown_type_is_written_as_it_is_stored():
    [known] = recorded(measured({"deep": [1]}))
    values = {
        name: getattr(known, name)
        for name in RecordedEvent.__dataclass_fields__
        if not name.startswith("_")
    }
    unknown = RecordedEvent(**values | {"event_type": "tests.Forgotten", "event_version": 4})
    written = recorded_event_to_json(unknown)
    assert (written["eventType"], written["eventVersion"]) == ("tests.Forgotten", "4.0")
    assert written["data"] == {"reading": {"deep": [1]}}
    with pytest.raises(UnknownEventType):
        domain_event_from_json(written)


@pytest.mark.parametrize("version", ["1.0", "1", 1], ids=repr)
def test_the_version_may_be_written_in_short(version):
    _, read = domain_event_from_json(document(eventVersion=version))
    assert read.event_version == 1


@pytest.mark.parametrize(
    "version", ["1.1", "0", "0.0", "01", "v1", "", None, True, -1, 1.5, [1]], ids=repr
)
def test_a_version_that_is_none_is_refused_by_name(version):
    with pytest.raises(
        DecodingError, match=r"^eventVersion: expected a version such as 1 or '1\.0'"
    ):
        domain_event_from_json(document(eventVersion=version))


@pytest.mark.parametrize("key", sorted(SEED_KEYS))
def test_a_missing_key_is_named(key):
    incomplete = {name: value for name, value in document().items() if name != key}
    with pytest.raises(DecodingError, match=f"^{key}: "):
        domain_event_from_json(incomplete)


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"eventId": "7"}, "eventId"),
        ({"eventId": 7}, "eventId"),
        ({"occurredOn": "yesterday"}, "occurredOn"),
        ({"occurredOn": "2026-03-01T12:00:00"}, "occurredOn"),
        ({"occurredOn": 1772366400}, "occurredOn"),
        ({"data": []}, "data"),
        ({"data": None}, "data"),
        ({"data": {"name": "pen"}}, "tests.ItemAdded.quantity"),
        ({"data": {"name": "pen", "quantity": "1"}}, "tests.ItemAdded.quantity"),
        ({"metadata": None}, "metadata"),
        ({"eventType": None}, "eventType"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(overrides, field):
    with pytest.raises(DecodingError) as caught:
        domain_event_from_json(document(**overrides))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("overrides", "field"),
    [({"aggregateType": "My-Cart"}, "aggregate_type"), ({"aggregateId": ""}, "aggregate_id")],
)
def test_a_stream_that_cannot_be_is_refused_by_name(overrides, field):
    with pytest.raises(InvalidInput) as caught:
        domain_event_from_json(document(**overrides))
    assert caught.value.field == field


def test_what_is_not_part_of_an_event_is_ignored():
    _, read = domain_event_from_json(document(position=5, partition="eu"))
    assert read == item_added()
