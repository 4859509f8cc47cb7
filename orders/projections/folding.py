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

    def project_batch(self, events: Sequence[RecordedEvent]) -> None:
        rows, key = self.rows(self.model), self.model._meta.pk
        found: dict[Any, Any] = rows.in_bulk({key.to_python(each.aggregate_id) for each in events})
        for recorded in events:
            aggregate_id = key.to_python(recorded.aggregate_id)
            if aggregate_id not in found:
                found[aggregate_id] = rows.model(pk=aggregate_id)
            self.fold(found[aggregate_id], recorded)
        rows.bulk_create(
            found.values(),
            update_conflicts=True,
            unique_fields=[key.name],
            update_fields=[
                field.name for field in self.model._meta.concrete_fields if field is not key
            ],
        )
