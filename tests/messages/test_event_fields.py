"""The fields of every event, those of the guide: id, type, version, moment, data, metadata."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from events.messages import DomainEvent
from events.registry import event_types
from tests.factories import MOMENT, ItemAdded, ItemRemoved, item_added


def test_an_event_gets_an_id_a_moment_and_empty_metadata_of_its_own():
    before = datetime.now(UTC)
    first, second = ItemAdded(name="pen", quantity=1), ItemAdded(name="pen", quantity=1)
    assert first.event_id != second.event_id
    assert isinstance(first.event_id, UUID)
    assert before <= first.occurred_on <= datetime.now(UTC)
    assert first.occurred_on.utcoffset() == timedelta(0)
    assert first.metadata == {}
    assert first.metadata is not second.metadata


def test_events_are_equal_when_they_say_the_same():
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    assert item_added() == item_added(occurred_on=moment, metadata={"a": 1})
    assert item_added() != item_added(quantity=2)
    assert ItemRemoved(name="pen") != item_added()


def test_the_representation_of_an_event_is_what_it_says():
    assert repr(item_added()) == "ItemAdded(name='pen', quantity=1)"


def test_the_data_of_an_event_is_without_its_envelope():
    assert event_types.encode(item_added()) == {"name": "pen", "quantity": 1}


def test_a_decoded_event_has_the_envelope_that_it_is_given():
    given = {
        "event_id": UUID(int=7),
        "occurred_on": datetime(2026, 3, 1, tzinfo=UTC),
        "metadata": {"user_id": "ann"},
    }
    decoded = event_types.decode("tests.ItemAdded", 1, {"name": "pen", "quantity": 2}, **given)
    assert decoded == item_added(quantity=2)
    assert {name: getattr(decoded, name) for name in given} == given


def test_the_base_class_declares_no_data():
    assert {field.name for field in fields(DomainEvent)} == {"event_id", "occurred_on", "metadata"}


@pytest.mark.parametrize("name", ["event_id", "occurred_on", "metadata"])
def test_data_cannot_fill_in_for_the_envelope(name):
    given = {"event_id": UUID(int=7), "occurred_on": MOMENT, "metadata": {}}
    data = {"name": "pen", "quantity": 1, name: "from the data"}
    decoded = event_types.decode("tests.ItemAdded", 1, data, **given)
    assert getattr(decoded, name) == given[name]
