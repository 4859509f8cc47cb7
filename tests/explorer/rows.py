"""Rows of the log as they are found, whoever wrote them. Keyword overrides, fixed defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from events.identifiers import new_id
from events.models import AggregateVersion, Event, Snapshot
from tests.factories import MOMENT


def event_row(**overrides: Any) -> Event:
    metadata = {"correlation_id": None, "causation_id": None, "user_id": None}
    metadata |= overrides.pop("metadata", {})
    return Event(
        **{
            "event_id": new_id(),
            "aggregate_type": "Cart",
            "aggregate_id": "cart-1",
            "event_type": "tests.ItemAdded",
            "event_version": 1,
            "sequence_number": 0,
            "event_data": {"name": "pen", "quantity": 1},
            "metadata": metadata,
            "correlation_id": metadata["correlation_id"],
            "causation_id": metadata["causation_id"],
            "occurred_on": MOMENT,
            "recorded_at": MOMENT,
        }
        | overrides
    )


def stored_event(**overrides: Any) -> Event:
    return Event.objects.bulk_create([event_row(**overrides)])[0]


def stored_events(count: int, **overrides: Any) -> list[Event]:
    """In one stream, unless said otherwise."""
    rows = [event_row(sequence_number=number, **overrides) for number in range(count)]
    return Event.objects.bulk_create(rows)


def stored_streams(names: Sequence[str]) -> list[AggregateVersion]:
    pairs = [name.split("-", 1) for name in names]
    return AggregateVersion.objects.bulk_create(
        [
            AggregateVersion(
                aggregate_type=category,
                aggregate_id=aggregate_id,
                version=0,
                created_at=MOMENT,
                updated_at=MOMENT,
            )
            for category, aggregate_id in pairs
        ]
    )


def stored_snapshot(**overrides: Any) -> Snapshot:
    return Snapshot.objects.create(
        **{
            "aggregate_type": "Cart",
            "aggregate_id": "cart-1",
            "version": 3,
            "schema_version": 1,
            "snapshot_data": {"items": ["pen"]},
            "created_at": MOMENT,
        }
        | overrides
    )
