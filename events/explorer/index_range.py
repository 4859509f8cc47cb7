"""The rows of one contiguous range of an index, in its order, from any row on.

Equality would be the obvious condition: `event_type = 'A' ORDER BY position DESC LIMIT 50`. But
for a type that was frequent once and is no longer stored, PostgreSQL then walks the index of
positions, trusting to meet fifty soon, and reads years of other events. An order that begins with
the type leaves it one index only; it does so as long as the type isn't known to be a single one:
`(event_type, position) < ('A', 900) AND event_type >= 'A' ORDER BY event_type DESC, position DESC`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from django.db.models import F, Func, Model, Q, QuerySet, TextField, Value
from django.db.models.lookups import GreaterThan, LessThan, Lookup

Key: TypeAlias = tuple[Any, ...]
RowT = TypeVar("RowT", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a page starts, exclusive, and the direction it is read in. No key: at the top."""

    key: Key | None = None
    backwards: bool = False


class _Row(Func):
    """`(a, b)`, compared from left to right as an index is."""

    template = "(%(expressions)s)"
    output_field = TextField()


class IndexRange:
    """`ordering` is unique within the range, and all its columns rise or all fall. `values` are
    of the columns that the index starts with, up to those of the ordering or into them."""

    def __init__(self, ordering: Sequence[str], values: Mapping[str, Any] | None = None) -> None:
        self.ordering = tuple(ordering)
        self.columns = tuple(column.removeprefix("-") for column in ordering)
        self._falling = ordering[0].startswith("-")
        self._equal = dict(values or {})
        # The last column before those of the ordering is the one to be disguised.
        before = [column for column in self._equal if column not in self.columns]
        self._last = {column: self._equal.pop(column) for column in before[-1:]}

    def key_of(self, row: Model) -> Key:
        return tuple(getattr(row, column) for column in self.columns)

    def rows(self, queryset: QuerySet[RowT], cursor: Cursor) -> QuerySet[RowT]:
        """Those of the queryset that are in the range and behind the cursor, nearest first."""
        falling = self._falling != cursor.backwards
        conditions = [
            Q((f"{column}__{bound}", value))
            for column, value in self._last.items()
            for bound in ("lte", "gte")
        ]
        if cursor.key is not None:
            lookup = LessThan if falling else GreaterThan
            conditions.append(Q(self._compared(queryset.model, lookup, cursor.key)))
        columns = (*self._last, *self.columns)
        return queryset.filter(*conditions, **self._equal).order_by(
            *(f"-{column}" if falling else column for column in columns)
        )

    def _compared(self, model: type[Model], lookup: type[Lookup[Any]], key: Key) -> Lookup[Any]:
        values = self._last | dict(zip(self.columns, key, strict=True))
        fields: dict[str, Any] = {column: model._meta.get_field(column) for column in values}
        return lookup(
            _Row(*(F(column) for column in values)),
            _Row(*(Value(value, output_field=fields[name]) for name, value in values.items())),
        )
