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
        changing = self.rows_of(events)
        self.fold_all(changing, events)
        self.write(changing)

    def rows_of(self, events: Sequence[RecordedEvent]) -> dict[str, Any]:
        """By aggregate id, as they are now."""
        rows, key = self.rows(self.model), self.model._meta.pk
        ids = {each.aggregate_id: key.to_python(each.aggregate_id) for each in events}
        stored: dict[Any, Any] = rows.in_bulk(ids.values())
        return {
            aggregate_id: stored[pk] if pk in stored else rows.model(pk=pk)
            for aggregate_id, pk in ids.items()
        }

    def fold_all(self, changing: dict[str, Any], events: Sequence[RecordedEvent]) -> None:
        for recorded in events:
            self.fold(changing[recorded.aggregate_id], recorded)
        for row in changing.values():
            self.settle(row)

    def write(self, changed: dict[str, Any]) -> None:
        key = self.model._meta.pk
        self.insert(self.model, [row for row in changed.values() if row._state.adding])
        self.rows(self.model).bulk_create(
            [row for row in changed.values() if not row._state.adding],
            update_conflicts=True,
            unique_fields=[key.name],
            update_fields=[
                field.name for field in self.model._meta.concrete_fields if field is not key
            ],
        )
