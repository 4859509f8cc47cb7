"""The time of the database, which all workers share: due times are made and compared by it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import connections

from events.conf import events_settings

#: How long the difference to this machine's clock is trusted.
_TRUST_SECONDS = 30.0

_offset = timedelta(0)
_measured_at = float("-inf")
#: A moment, in tests.
_standing: list[datetime] = []


def database_time() -> datetime:
    """Asks the database now and then only; a clock that is set meanwhile is noticed then."""
    global _offset, _measured_at
    if _standing:
        return _standing[0]
    if connections[events_settings().database].vendor != "postgresql":
        return datetime.now(UTC)
    if time.monotonic() - _measured_at > _TRUST_SECONDS:
        _offset, _measured_at = _difference(), time.monotonic()
    return datetime.now(UTC) + _offset


def stand_still(at: datetime | None) -> datetime | None:
    """For tests (`testing.clock`): from now on it is this moment. None lets time go on. Returns
    where it stood before."""
    before = _standing[0] if _standing else None
    _standing[:] = [] if at is None else [at]
    return before


def _difference() -> timedelta:
    with connections[events_settings().database].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        answer: datetime = cursor.fetchone()[0]
    return answer - datetime.now(UTC)
