"""From a time to a place: the first position, or sequence number, that was recorded then or later.

Times of recording have no index. They rise with positions, so a search by halves in the index of
positions finds the place in some twenty probes, and appends pay nothing for it. Where appends
overlapped, positions near the place may be of the other side by as much as one append took.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.db import connections
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from ..conf import events_settings

_AGE = re.compile(r"(\d{1,6})\s*(s|min|m|h|d|w)")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}

# `low` and `high` close in on the place; each step looks at the first row from the middle on.
_PROBE = (
    "(SELECT {{column}} FROM events WHERE {stream} AND {place} >= (low + high) / 2 "
    "ORDER BY {place} LIMIT 1)"
)
_SEARCH = """
    WITH RECURSIVE halves (low, high) AS (
        SELECT
            (SELECT MIN({place}) FROM events WHERE {stream}),
            (SELECT MAX({place}) + 1 FROM events WHERE {stream})
        UNION ALL
        SELECT
            CASE WHEN {time} < %(moment)s THEN {found} + 1 ELSE low END,
            CASE WHEN {time} < %(moment)s THEN high ELSE (low + high) / 2 END
        FROM halves WHERE low < high
    )
    SELECT MIN(high) FROM halves WHERE low = high
"""


def parse_moment(text: str) -> datetime | None:
    """An age such as `24h`, a date, or a date and time, in the current zone if it names none."""
    if match := _AGE.fullmatch(text):
        try:
            return timezone.now() - int(match[1]) * _UNITS[match[2]]
        except OverflowError:
            return None
    try:
        day = parse_date(text)
        moment = datetime(day.year, day.month, day.day) if day else parse_datetime(text)  # noqa: DTZ001
    except ValueError:
        return None
    if moment is None:
        return None
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def first_position_since(moment: datetime) -> int:
    """One behind the last where nothing was recorded since."""
    return _first_since(moment, "position", {})


def first_sequence_number_since(moment: datetime, aggregate_type: str, aggregate_id: str) -> int:
    """As above, within one stream."""
    stream = {"aggregate_type": aggregate_type, "aggregate_id": aggregate_id}
    return _first_since(moment, "sequence_number", stream)


def _first_since(moment: datetime, place: str, stream: dict[str, str]) -> int:
    connection = connections[events_settings().database]
    conditions = " AND ".join(f"{name} = %({name})s" for name in stream) or "1 = 1"
    probe = _PROBE.format(stream=conditions, place=place)
    statement = _SEARCH.format(
        place=place,
        stream=conditions,
        time=probe.format(column="recorded_at"),
        found=probe.format(column=place),
    )
    adapted = connection.ops.adapt_datetimefield_value(moment)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"moment": adapted, **stream})
        (found,) = cursor.fetchone()
    return int(found or 0)
