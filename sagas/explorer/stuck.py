"""Sagas that somebody should look at: those that say so, and those that have gone quiet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from events.conf import events_settings
from events.explorer.conditions import Condition
from events.explorer.index_range import Cursor, IndexRange

from ..models import SagaInstance
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


# The newest of each status, from a range of the index that can't be taken for another one.
_NEWEST = """
    SELECT * FROM (
        SELECT * FROM sagas_instances WHERE status >= %s AND status <= %s {quiet}
        ORDER BY status DESC, started_at DESC, saga_id DESC LIMIT %s
    ) AS {name}
"""
_QUIET = "AND started_at <= %s AND updated_at <= %s"


def newest_stuck(quiet_since: datetime, limit: int) -> list[SagaInstance]:
    """The first of the list of all of them, in one statement."""
    parts, parameters = [], []
    for statuses, quiet in ((_WAITING_FOR_SOMEBODY, ""), (_AT_WORK, _QUIET)):
        for status in statuses:
            parts.append(_NEWEST.format(quiet=quiet, name=f"of_{status.value}"))
            moments = [quiet_since, quiet_since] if quiet else []
            parameters += [status.value, status.value, *moments, limit]
    found = SagaInstance.objects.raw(
        " UNION ALL ".join(parts), parameters, using=events_settings().database
    )
    return sorted(found, key=lambda row: (row.started_at, row.saga_id), reverse=True)[:limit]
