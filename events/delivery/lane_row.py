"""The row of a lane, as far as one lease goes: it changes only while the token is in it.

It does for each batch of events, and for each event where they come one by one. There the ORM would
take longer than all else, so PostgreSQL is sent prepared statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now

from ..models import Lane, SubscriptionState
from ..store.prepared import bigint, kept_cursor

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_ACTIVE = SubscriptionState.Status.ACTIVE.value


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRow:
    using: str
    pk: int
    token: UUID

    def change(
        self,
        values: Mapping[str, Any],
        *,
        added: Mapping[str, float] = _NOTHING,
        from_now: Mapping[str, float] = _NOTHING,
        if_active: bool = False,
    ) -> bool:
        """False, and nothing is changed, where the lane is no longer held by this token or, with
        `if_active`, its subscription is paused or stopped. `added` goes to what is there;
        `from_now` are seconds, by the clock of the database."""
        if connections[self.using].vendor == "postgresql":
            return self._change_on_postgresql(values, added, from_now, if_active)
        rows = Lane.objects.using(self.using).filter(pk=self.pk, token=self.token)
        if if_active:
            states = SubscriptionState.objects.filter(name=OuterRef("subscription_id"))
            rows = rows.filter(Exists(states.filter(status=_ACTIVE)))
        changed = rows.update(
            **values,
            **{name: F(name) + number for name, number in added.items()},
            **{name: Now() + timedelta(seconds=number) for name, number in from_now.items()},
        )
        return changed > 0

    def _change_on_postgresql(
        self,
        values: Mapping[str, Any],
        added: Mapping[str, float],
        from_now: Mapping[str, float],
        if_active: bool,
    ) -> bool:
        cursor = kept_cursor(connections[self.using])
        numbers = [*values.values(), *added.values()]
        cursor.execute(
            _statement(tuple(values), tuple(added), tuple(from_now), if_active),
            (
                *(bigint(each) if isinstance(each, int) else each for each in numbers),
                *map(float, from_now.values()),
                self.pk,
                self.token,
                *([_ACTIVE] if if_active else []),
            ),
        )
        changed: int = cursor.rowcount
        return changed > 0


@cache
def _statement(
    values: tuple[str, ...], added: tuple[str, ...], from_now: tuple[str, ...], if_active: bool
) -> str:
    sets = [
        *(f"{name} = %s" for name in values),
        *(f"{name} = {name} + %s" for name in added),
        *(f"{name} = statement_timestamp() + %s * interval '1 second'" for name in from_now),
    ]
    text = f"UPDATE events_lanes SET {', '.join(sets)} WHERE id = %s AND token = %s"
    if if_active:
        text += """ AND EXISTS (
            SELECT 1 FROM events_subscriptions WHERE name = subscription_id AND status = %s
        )"""
    return text
