"""What a handler would do with a failed event now: it is called, and everything is rolled back.

Only for handlers whose effects are in the database. One that has them elsewhere is never called:
nothing could take them back.
"""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import get_ident
from time import perf_counter
from typing import Any

from django.db import connections, transaction

from ..bus.subscription import Effects, Subscription, subscriptions
from ..conf import events_settings
from ..exceptions import DryRunNotPossible
from ..models import FailedEvent
from ..recorded_event import RecordedEvent
from ..signals import events_appended
from ..store.configured import event_store
from . import failures
from .calling import handle_one
from .operator_log import check_actor, write_down

#: Of the handler, and of a lock that it waits for: somebody waits for the page.
MAX_SECONDS = 10.0
LOCK_SECONDS = 2

_WRITE = re.compile(
    r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+\"?(?P<table>[\w.]+)\"?", re.IGNORECASE
)
#: What the library itself writes says nothing about the handler.
_OWN_TABLES = frozenset(
    ("events", "aggregate_versions", "snapshots", "events_append_lock", "events_wake_ups")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """`verb` is insert, update or delete."""

    verb: str
    table: str
    statements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What would have happened. `error` is None where the handler came to its end."""

    error: str | None
    traceback: str
    #: In their order; their positions were never given out.
    events: tuple[RecordedEvent, ...]
    writes: tuple[Write, ...]
    seconds: float
    #: The subscription's filter keeps the event from the handler, which was not called.
    is_filtered: bool = False


def dry_run(row: FailedEvent, *, actor: str, reason: str = "") -> DryRun:
    """Outside of a transaction, so that nothing else is rolled back. Raises DryRunNotPossible,
    EventNotFound, UnknownEventType, UpcastingFailed."""
    check_actor(actor)
    subscription = _runnable(row)
    event = failures.event_of(row, event_store())
    found = _run(subscription, event, row.attempts + 1)
    write_down(
        "dry_run",
        row.subscription_id,
        actor=actor,
        reason=reason,
        details={
            "failed_event": row.pk,
            "event_id": str(row.event_id),
            "position": row.position,
            # Its message may quote personal data, and this is kept for ever.
            "error": found.error and found.error.partition(":")[0],
            "events": [each.event_type for each in found.events],
        },
        subject=f"{row.aggregate_type}-{row.aggregate_id}",
    )
    return found


def why_not(row: FailedEvent) -> DryRunNotPossible | None:
    """None where it can be tried."""
    try:
        _runnable(row)
    except DryRunNotPossible as refusal:
        return refusal
    return None


def _runnable(row: FailedEvent) -> Subscription:
    subscription = subscriptions.find(row.subscription_id)
    if subscription is None:
        raise DryRunNotPossible(row.subscription_id, "it isn't in the code")
    if subscription.effects is Effects.EXTERNAL:
        raise DryRunNotPossible(
            row.subscription_id, "its effects are outside of the database, and would stay"
        )
    return subscription


def _run(subscription: Subscription, event: RecordedEvent, attempt: int) -> DryRun:
    using, started = events_settings().database, perf_counter()
    writes: Counter[tuple[str, str]] = Counter()
    error: Exception | None = None
    is_filtered = False
    with _appended(using) as appended, transaction.atomic(using=using):
        _limit_waiting(using)
        try:
            is_filtered = not subscription.wants(event)
            if not is_filtered:
                with connections[using].execute_wrapper(_noting(writes)):
                    handle_one(_limited(subscription), event, attempt=attempt)
        except Exception as raised:
            error = raised
        transaction.set_rollback(True, using=using)
    return DryRun(
        error=None if error is None else traceback.format_exception_only(error)[-1].strip(),
        traceback="" if error is None else "".join(traceback.format_exception(error)),
        events=tuple(appended),
        writes=tuple(
            Write(verb=verb, table=table, statements=count)
            for (verb, table), count in writes.items()
        ),
        seconds=perf_counter() - started,
        is_filtered=is_filtered,
    )


def _limited(subscription: Subscription) -> Subscription:
    limit = min(subscription.timeout_seconds or MAX_SECONDS, MAX_SECONDS)
    return replace(subscription, timeout_seconds=limit)


def _limit_waiting(using: str) -> None:
    """A worker may hold what the handler wants, and this connection is a visitor's."""
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
            cursor.execute(f"SET LOCAL statement_timeout = '{MAX_SECONDS:g}s'")


@contextmanager
def _appended(using: str) -> Iterator[list[RecordedEvent]]:
    """Those of this thread."""
    found: list[RecordedEvent] = []
    thread, database = get_ident(), using

    def note(events: list[RecordedEvent], using: str, **kwargs: Any) -> None:
        if get_ident() == thread and using == database:
            found.extend(events)

    events_appended.connect(note, weak=False)
    try:
        yield found
    finally:
        events_appended.disconnect(note)


def _noting(writes: Counter[tuple[str, str]]) -> Callable[..., Any]:
    def execute(
        call: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        found = _WRITE.match(sql) if isinstance(sql, str) else None
        if found and found["table"] not in _OWN_TABLES:
            writes[sql.split(None, 1)[0].lower(), found["table"]] += 1
        return call(sql, params, many, context)

    return execute
