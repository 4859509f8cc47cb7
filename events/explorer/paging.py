"""Pages that start behind the row that the last one ended with. No COUNT, no OFFSET.

Called by the change list of `keyset`, and by pages that hold a list of events; `index_range` has
the statements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.http import urlencode

from .index_range import Cursor, IndexRange, Key

# Query parameters: the key of the row that the page follows, or leads up to. In the order of the
# list, so that `after=120` of a list that has the newest first starts with 119.
AFTER = "after"
BEFORE = "before"

#: Rows of the range that one page may look at for those that meet further conditions, and how
#: many at a time.
SCAN_LIMIT = 5_000
SCAN_BATCH = 1_000

RowT = TypeVar("RowT", bound=Model)


class InvalidCursor(ValueError):
    """The query parameters name no place in this list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[RowT]):
    """Rows in the order of the list, and the keys that the pages around it start from."""

    rows: list[RowT]
    is_first: bool
    previous: Key | None
    next: Key | None
    #: The last key that was looked at, when SCAN_LIMIT ended the search for rows.
    stopped_at: Key | None


def read_page(
    queryset: QuerySet[RowT],
    index_range: IndexRange,
    cursor: Cursor,
    size: int,
    further: Mapping[str, Any] | None = None,
) -> Page[RowT]:
    """Rows of the range that have the `further` values too. No index needs to serve those: at most
    SCAN_LIMIT rows are looked at for them, and the page may end before it is full."""
    heads, stopped_at = _scan(queryset, index_range, cursor, size + 1, further or {})
    is_full = len(heads) > size
    heads = heads[:size]
    if cursor.backwards and len(heads) < size and not stopped_at:
        return read_page(queryset, index_range, Cursor(), size, further)  # reached the top
    onwards = heads[-1].key if is_full else stopped_at
    back = heads[0].key if heads else stopped_at
    if cursor.backwards:
        heads.reverse()
    found = queryset.order_by().in_bulk([head.pk for head in heads])
    return Page(
        rows=[found[head.pk] for head in heads if head.pk in found],
        is_first=cursor.key is None,
        previous=onwards if cursor.backwards else back if cursor.key else None,
        next=back if cursor.backwards else onwards,
        stopped_at=stopped_at,
    )


def read_batches(
    queryset: QuerySet[RowT],
    index_range: IndexRange,
    further: Mapping[str, Any] | None = None,
    size: int = SCAN_BATCH,
) -> Iterator[list[RowT]]:
    """All rows of the range that have the `further` values too, some at a time."""
    further, width, cursor = further or {}, len(index_range.columns), Cursor()
    while True:
        rows = index_range.rows(queryset, cursor).values_list(*index_range.columns, *further, "pk")
        batch = list(rows[:size])
        keys = [row[-1] for row in batch if _have(row[width:-1], tuple(further.values()))]
        found = queryset.order_by().in_bulk(keys)
        yield [found[key] for key in keys if key in found]
        if len(batch) < size:
            return
        cursor = Cursor(key=batch[-1][:width])


class _Head(NamedTuple):
    """What is read of a row to decide whether it is on the page."""

    key: Key
    pk: Any


def _scan(
    queryset: QuerySet[RowT],
    index_range: IndexRange,
    cursor: Cursor,
    limit: int,
    further: Mapping[str, Any],
) -> tuple[list[_Head], Key | None]:
    """At most `limit` heads, and the key to go on from if there may be more.

    The values are compared here. With all conditions in one statement, no database could be made
    to stop: it takes the index of another condition, or goes on to the end of the range.
    """
    wanted, width = tuple(further.values()), len(index_range.columns)
    found: list[_Head] = []
    size = SCAN_BATCH if further else limit
    for _ in range(0, SCAN_LIMIT, size):
        rows = index_range.rows(queryset, cursor).values_list(*index_range.columns, *further, "pk")
        batch = list(rows[:size])
        found += [_Head(row[:width], row[-1]) for row in batch if _have(row[width:-1], wanted)]
        if len(found) >= limit or len(batch) < size:
            return found[:limit], None
        cursor = Cursor(key=batch[-1][:width], backwards=cursor.backwards)
    return found[:limit], cursor.key


def _have(values: tuple[Any, ...], wanted: tuple[Any, ...]) -> bool:
    # SQLite gives the numbers in JSON as numbers, PostgreSQL as text, as they are asked for.
    return all(
        value == other or (isinstance(other, str) and value is not None and str(value) == other)
        for value, other in zip(values, wanted, strict=True)
    )


def cursor_of(parameters: QueryDict, index_range: IndexRange, model: type[Model]) -> Cursor:
    """Raises InvalidCursor."""
    for name, backwards in ((AFTER, False), (BEFORE, True)):
        if name in parameters:
            key = _parsed(parameters.getlist(name), index_range, model)
            return Cursor(key=key, backwards=backwards)
    return Cursor()


def _parsed(values: list[str], index_range: IndexRange, model: type[Model]) -> Key:
    if len(values) != len(index_range.columns) or any("\0" in value for value in values):
        raise InvalidCursor(values)
    fields: list[Any] = [model._meta.get_field(column) for column in index_range.columns]
    try:
        key = [field.to_python(value) for field, value in zip(fields, values, strict=True)]
        for field, value in zip(fields, key, strict=True):
            field.run_validators(value)
    except ValidationError as error:
        raise InvalidCursor(values) from error
    return tuple(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLinks:
    """Query strings of the pages around one; None where there is no such page."""

    first: str | None
    previous: str | None
    next: str | None


def page_links(page: Page[Any], parameters: Mapping[str, list[str]]) -> PageLinks:
    """`parameters` are those of the list itself, which its pages keep."""
    kept = {name: parameters[name] for name in parameters if name not in (AFTER, BEFORE)}

    def link(**cursor: Key) -> str:
        return "?" + urlencode({**kept, **cursor}, doseq=True)

    return PageLinks(
        first=None if page.is_first else link(),
        previous=link(**{BEFORE: page.previous}) if page.previous else None,
        next=link(**{AFTER: page.next}) if page.next else None,
    )
