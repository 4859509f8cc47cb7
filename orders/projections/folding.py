"""Rows that events are folded into in memory: a batch is one read and one write, however many
events it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Model

from events.projections import Projection
from events.recorded_event import RecordedEvent


class FoldedRows(Projection):
    """One row for each aggregate id, which is its primary key."""

    model: ClassVar[type[Model]]

    def fold(self, row: Any, recorded: RecordedEvent) -> None:
        """Changes the row, which is new where the aggregate had none."""
        raise NotImplementedError

    def settle(self, row: Any) -> None:
        """Sets the columns that follow from others, after the last event of a batch."""

    def project_batch(self, events: Sequence[RecordedEvent]) -> None:
        rows, key = self.rows(self.model), self.model._meta.pk
        ids = {each.aggregate_id: key.to_python(each.aggregate_id) for each in events}
        stored: dict[Any, Any] = rows.in_bulk(ids.values())
        changed = {
            aggregate_id: stored[pk] if pk in stored else rows.model(pk=pk)
            for aggregate_id, pk in ids.items()
        }
        for recorded in events:
            self.fold(changed[recorded.aggregate_id], recorded)
        for row in changed.values():
            self.settle(row)
        rows.bulk_create(
            changed.values(),
            update_conflicts=True,
            unique_fields=[key.name],
            update_fields=[
                field.name for field in self.model._meta.concrete_fields if field is not key
            ],
        )
