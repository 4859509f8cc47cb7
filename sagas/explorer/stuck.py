"""Sagas that somebody should look at: those that say so, and those that have gone quiet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from events.explorer.conditions import Condition
from events.explorer.index_range import Cursor, IndexRange

from ..state import Status

#: Newest first; unique, because a saga id is.
ORDERING = ("-started_at", "-saga_id")

_WAITING_FOR_SOMEBODY = (Status.NEEDS_INTERVENTION, Status.BLOCKED)
_AT_WORK = (Status.RUNNING, Status.COMPENSATING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck(Condition):
    """Waits for somebody, or is at work and has recorded nothing since `quiet_since`."""

    quiet_since: datetime


class StuckRange(IndexRange):
    """Several ranges of one index, one a status, merged into one order."""

    def __init__(self, quiet_since: datetime) -> None:
        super().__init__(ORDERING)
        self._quiet_since = quiet_since

    def rows(self, queryset: QuerySet[Any], cursor: Cursor) -> Any:
        # What has been quiet since then was there before: that bounds the range of the index.
        quiet = queryset.filter(
            started_at__lte=self._quiet_since, updated_at__lte=self._quiet_since
        )
        parts = [
            IndexRange(ORDERING, {"status": status}).rows(each, cursor)
            for statuses, each in ((_WAITING_FOR_SOMEBODY, queryset), (_AT_WORK, quiet))
            for status in statuses
        ]
        return _Merged(parts, falling=not cursor.backwards)


class _Merged:
    """Like one query for what comes out of several: turned to values, then sliced."""

    def __init__(self, parts: Sequence[Any], *, falling: bool) -> None:
        self._parts = parts
        self._falling = falling

    def values_list(self, *columns: str) -> _Merged:
        """The first of the columns are those of the ordering."""
        return _Merged([part.values_list(*columns) for part in self._parts], falling=self._falling)

    def __getitem__(self, wanted: slice) -> Iterator[Any]:
        sliced = [part[wanted] for part in self._parts]
        return islice(merge(*sliced, key=_place, reverse=self._falling), wanted.stop)


def _place(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[: len(ORDERING)]
