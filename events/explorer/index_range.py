"""The rows of one contiguous range of an index, in its order, from any row on: the shape of
`store/selecting`, for the lists and pages of any model.

Equality would be the obvious condition: `event_type = 'A' ORDER BY position DESC LIMIT 50`. But
for a type that was frequent once and is no longer stored, PostgreSQL then walks the index of
positions, trusting to meet fifty soon, and reads years of other events. An order that begins with
the type leaves it one index only, as long as the type isn't known to be a single one:
`(event_type, position) < ('A', 900) AND event_type >= 'A' ORDER BY event_type DESC, position DESC`.
Nor may it know which one, `(SELECT 'A')`: of a type that the statistics don't know yet, it would
read all that there is, to sort what it takes for a few rows.

What is read first are the keys of the rows, which may be all in the index; rows are read by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from django.db.models import Expression, F, Field, Func, Model, Q, QuerySet, TextField, Value
from django.db.models.lookups import (
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
    Lookup,
)

Key: TypeAlias = tuple[Any, ...]
RowT = TypeVar("RowT", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a page starts, exclusive, and the direction it is read in. No key: at the top."""

    key: Key | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Places that the ordering is bound to, inclusive; None: no bound at that end."""

    first: int | None = None
    last: int | None = None


class _Row(Func):
    """`(a, b)`, compared from left to right as an index is."""

    template = "(%(expressions)s)"
    output_field = TextField()


class _Undisclosed(Func):
    """A value that the planner doesn't get to know."""

    template = "(SELECT %(expressions)s)"


class IndexRange:
    """`ordering` is unique within the range, and all its columns rise or all fall. `values` are
    of the columns that the index starts with, up to those of the ordering or into them. A column
    may be an annotation of the queryset, a text. `window` is of an ordering with one column."""

    def __init__(
        self,
        ordering: Sequence[str],
        values: Mapping[str, Any] | None = None,
        window: Window | None = None,
    ) -> None:
        self.ordering = tuple(ordering)
        self.columns = tuple(column.removeprefix("-") for column in ordering)
        self.window = window or Window()
        self._falling = ordering[0].startswith("-")
        self._equal = dict(values or {})
        # The last column before those of the ordering is the one to be disguised.
        before = [column for column in self._equal if column not in self.columns]
        self._last = {column: self._equal.pop(column) for column in before[-1:]}

    def rows(self, queryset: QuerySet[RowT], cursor: Cursor) -> QuerySet[RowT]:
        """Those of the queryset that are in the range and behind the cursor, nearest first."""
        falling = self._falling != cursor.backwards
        model = queryset.model
        conditions = [
            Q((f"{column}__{bound}", _value(model, column, value)))
            for column, value in self._last.items()
            for bound in ("lte", "gte")
        ]
        if cursor.key is not None:
            lookup = LessThan if falling else GreaterThan
            conditions.append(Q(self._compared(model, lookup, cursor.key)))
        if self.window.first is not None:
            conditions.append(Q(self._compared(model, GreaterThanOrEqual, (self.window.first,))))
        if self.window.last is not None:
            conditions.append(Q(self._compared(model, LessThanOrEqual, (self.window.last,))))
        columns = (*self._last, *self.columns)
        return queryset.filter(*conditions, **self._equal).order_by(
            *(f"-{column}" if falling else column for column in columns)
        )

    def _compared(self, model: type[Model], lookup: type[Lookup[Any]], key: Key) -> Lookup[Any]:
        values = {
            **{name: _value(model, name, value) for name, value in self._last.items()},
            **{
                name: Value(value, output_field=_field(model, name))
                for name, value in zip(self.columns, key, strict=True)
            },
        }
        return lookup(_Row(*(F(column) for column in values)), _Row(*values.values()))


def _value(model: type[Model], column: str, value: Any) -> Expression:
    field = _field(model, column)
    return _Undisclosed(Value(value, output_field=field), output_field=field)


def _field(model: type[Model], column: str) -> Field[Any, Any]:
    found = next(
        (field for field in model._meta.fields if column in (field.name, field.attname)), None
    )
    return found if found is not None else TextField()
