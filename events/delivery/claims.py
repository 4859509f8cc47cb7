"""Claims a lane for a worker, if it is free: one statement on PostgreSQL, two elsewhere."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import BooleanField, Exists, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from ..conf import events_settings
from ..models import Lane, SubscriptionState
from ..store.prepared import bigint, kept_cursor

#: What a claim gives back of the row.
COLUMNS = (
    "id",
    "position",
    "attempted_to",
    "attempts",
    "failure_streak",
    "outages",
    "failed_attempts",
)

# The start of another role's session is hidden: it counts as alive.
_OWNER_IS_GONE = """(
    owner_session IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM pg_stat_activity
        WHERE pid = owner_session
            AND (backend_start = owner_session_started_at OR backend_start IS NULL)
    )
)"""

# Conditions on the row itself, not in the subquery: of two at once, the second one looks at what
# the first has made of the row. A row that is locked is being written by its owner, who may hang or
# be cut off from the network right then: whoever waited for that couldn't work on other lanes.
_CLAIM = f"""
    UPDATE events_lanes SET
        token = %s, owner = %s, not_before = NULL,
        leased_until = statement_timestamp() + %s * interval '1 second',
        owner_session = CASE WHEN %s THEN pg_backend_pid() END,
        owner_session_started_at =
            (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()),
        position = coalesce(%s, position),
        attempted_to = coalesce(%s, attempted_to),
        attempts = CASE WHEN %s THEN 1 ELSE attempts END
    WHERE id = (
            SELECT id FROM events_lanes WHERE subscription_id = %s AND number = %s
            FOR UPDATE SKIP LOCKED
        )
        AND (token IS NULL OR leased_until < statement_timestamp() OR (
            %s AND {_OWNER_IS_GONE}
        ))
        AND (%s OR not_before IS NULL OR not_before <= statement_timestamp())
        AND EXISTS (
            SELECT 1 FROM events_subscriptions WHERE name = subscription_id AND status = %s
        )
        AND (SELECT count(*) FROM events_lanes WHERE subscription_id = %s) = %s
        AND (NOT %s OR position = %s AND attempted_to IS NULL AND outages = 0)
    RETURNING {", ".join(COLUMNS)}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Of the events up to there, begun by the claim itself: only where the lane stands at this
    checkpoint, and nothing is unfinished there."""

    checkpoint: int
    passed_over: int
    attempted_to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    using: str
    subscription: str
    number: int
    #: Of how many: a lane of another division has other streams.
    lanes: int
    token: UUID
    seconds: float
    ignores_back_off: bool
    attempt: Attempt | None = None

    def make(self) -> Sequence[Any] | None:
        """The `COLUMNS` of the lane, or None."""
        if connections[self.using].vendor == "postgresql":
            return self._make_on_postgresql()
        return self._make()

    def _make_on_postgresql(self) -> Sequence[Any] | None:
        knows_sessions, attempt = _knows_sessions(self.using), self.attempt
        cursor = kept_cursor(connections[self.using])
        cursor.execute(
            _CLAIM,
            (
                self.token,
                _owner(),
                self.seconds,
                knows_sessions,
                bigint(attempt.passed_over) if attempt else None,
                bigint(attempt.attempted_to) if attempt else None,
                attempt is not None,
                self.subscription,
                self.number,
                knows_sessions,
                self.ignores_back_off,
                SubscriptionState.Status.ACTIVE.value,
                self.subscription,
                self.lanes,
                attempt is not None,
                bigint(attempt.checkpoint) if attempt else None,
            ),
        )
        row: Sequence[Any] | None = cursor.fetchone()
        return row

    def _make(self) -> Sequence[Any] | None:
        lanes = Lane.objects.using(self.using).filter(subscription_id=self.subscription)
        rows = lanes.filter(is_free(self.using), number=self.number)
        if not self.ignores_back_off:
            rows = rows.filter(Q(not_before=None) | Q(not_before__lte=Now()))
        is_active = SubscriptionState.objects.filter(
            name=OuterRef("subscription_id"), status=SubscriptionState.Status.ACTIVE
        )
        begun: dict[str, int] = {}
        if attempt := self.attempt:
            rows = rows.filter(position=attempt.checkpoint, attempted_to=None, outages=0)
            begun = {
                "position": attempt.passed_over,
                "attempted_to": attempt.attempted_to,
                "attempts": 1,
            }
        taken = rows.filter(Exists(is_active)).update(
            token=self.token,
            leased_until=Now() + timedelta(seconds=self.seconds),
            owner=_owner(),
            not_before=None,
            **begun,
        )
        if not taken:
            return None
        if lanes.count() != self.lanes:
            lanes.filter(token=self.token).update(token=None, attempted_to=None, attempts=0)
            return None
        return lanes.filter(token=self.token).values_list(*COLUMNS).first()


def is_free(using: str) -> Q:
    """Of a lane's row."""
    free = Q(token=None) | Q(leased_until__lt=Now())
    if connections[using].vendor == "postgresql" and _knows_sessions(using):
        free |= Q(RawSQL(_OWNER_IS_GONE, (), output_field=BooleanField()))
    return free


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[:200]


def _knows_sessions(using: str) -> bool:
    """Behind a pooler, the session of a transaction says nothing about its process."""
    pooled = connections[using].settings_dict.get("DISABLE_SERVER_SIDE_CURSORS", False)
    return events_settings().prepare_statements and not pooled
