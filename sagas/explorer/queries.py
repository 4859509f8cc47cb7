"""What the pages read of sagas, besides their streams."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connections
from django.db.models import QuerySet

from events.conf import events_settings
from events.explorer.index_range import IndexRange
from events.explorer.queries import in_log_database, spellings, stored_values

from ..identity import saga_id_for
from ..models import SagaInstance, SagaTimer
from ..state import Status
from .stuck import ORDERING, StuckRange

MAX_TIMERS = 50
#: Where counts stop that lead to a list.
MAX_COUNT = 1_000

_COUNT_UP_TO = """
    (SELECT count(*) FROM (SELECT 1 FROM sagas_instances WHERE status = %s LIMIT %s) AS counted)
"""


def instances() -> QuerySet[SagaInstance]:
    return in_log_database(SagaInstance.objects.all())


def counts_by_status() -> dict[Status, int]:
    """Up to MAX_COUNT each; short ranges of one index."""
    statement = f"SELECT {', '.join([_COUNT_UP_TO] * len(Status))}"
    parameters = [value for status in Status for value in (status.value, MAX_COUNT)]
    with connections[events_settings().database].cursor() as cursor:
        cursor.execute(statement, parameters)
        return dict(zip(Status, cursor.fetchone(), strict=True))


def timers_of(saga_id: str) -> list[SagaTimer]:
    rows = in_log_database(SagaTimer.objects.filter(saga_id=saga_id))
    return sorted(rows[:MAX_TIMERS], key=lambda row: row.due_at)


def ids_named(word: str) -> list[str]:
    """Of the sagas that have this id, or this key."""
    words = spellings(word)
    types = stored_values(SagaInstance, "saga_type")
    possible = [*words, *(saga_id_for(each, word) for each in types for word in words)]
    return list(instances().filter(pk__in=possible).values_list("pk", flat=True))


def range_of(
    *, status: str | None, saga_type: str | None, quiet_since: datetime | None = None
) -> tuple[IndexRange, dict[str, Any]]:
    """What an index serves of these conditions, and what its rows must have besides."""
    values = {"status": status, "saga_type": saga_type}
    given = {column: value for column, value in values.items() if value is not None}
    if quiet_since is not None:
        return StuckRange(quiet_since), given
    served = dict(list(given.items())[:1])
    further = {column: value for column, value in given.items() if column not in served}
    return IndexRange(ORDERING, served), further
