"""System checks of subscriptions: what is in the code against what is stored and what can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from operator import attrgetter
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections
from django.db.models import Count

from ..bus.subscription import Effects, Subscription, subscriptions
from ..conf import events_settings
from ..models import SubscriptionState
from ..registry import event_types

Apps = Sequence[AppConfig] | None


@register(Tags.database)
def check_stored_subscriptions(
    app_configs: Apps, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    alias = events_settings().database
    if alias not in (databases or ()) or not _has_tables(alias):
        return []
    states = SubscriptionState.objects.using(alias).annotate(count=Count("lanes")).order_by("name")
    stored = dict(states.values_list("name", "count"))
    return [*_without_code(stored), *_with_other_lanes(stored)]


def _has_tables(alias: str) -> bool:
    """`migrate` runs these checks before it makes them."""
    return SubscriptionState._meta.db_table in connections[alias].introspection.table_names()


def _without_code(stored: dict[str, int]) -> Iterator[CheckMessage]:
    in_code = {each.name for each in subscriptions.stored()}
    for name in sorted(stored.keys() - in_code):
        yield Warning(
            f"The subscription {name!r} is stored, but not in the code: nobody has its events.",
            hint="Restore its code under this name, or remove what is stored: "
            f"manage.py subscriptions forget {name} --reason ...",
            id="events.W004",
        )


def _with_other_lanes(stored: dict[str, int]) -> Iterator[CheckMessage]:
    for subscription in filter(attrgetter("is_in_streams"), subscriptions):
        lanes = stored.get(subscription.name, subscription.lanes)
        if lanes != subscription.lanes:
            yield Warning(
                f"The subscription {subscription.name!r} has {lanes} stored lanes, which are used, "
                f"and lanes={subscription.lanes} in the code.",
                hint=f"Set lanes={lanes}. Or, paused, without lag and without failed events: "
                f"manage.py subscriptions reset {subscription.name} --to POSITION --reason ..., "
                "with the position behind the head.",
                id="events.W005",
            )


@register
def check_lanes_on_sqlite(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    alias = events_settings().database
    if alias not in connections or connections[alias].vendor != "sqlite":
        return []
    return [
        Warning(
            f"The subscription {subscription.name!r} has lanes={subscription.lanes}, but SQLite "
            "has one writer at a time: that is no gain.",
            hint="Set lanes=1.",
            id="events.W006",
        )
        for subscription in subscriptions.stored()
        if subscription.lanes > 1 and subscription.effects is Effects.DATABASE
    ]


@register
def check_patterns(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    known = {cls.event_type for cls in event_types}
    messages: list[CheckMessage] = []
    for subscription in filter(_is_of_this_project, subscriptions):
        for pattern in subscription.patterns:
            named = [each.event_type for each in pattern.criteria if each.event_type is not None]
            if len(named) < len(pattern.criteria) or known.intersection(named):
                continue
            close = get_close_matches(named[-1], known, n=1)
            messages.append(
                Warning(
                    f"The subscription {subscription.name!r} is for {pattern}, but no event class "
                    "has this type.",
                    hint=f"Did you mean {close[0]!r}?" if close else "Mend or remove the pattern.",
                    id="events.W007",
                )
            )
    return messages


def _is_of_this_project(subscription: Subscription) -> bool:
    """What comes from a queue may be of types that are known elsewhere."""
    return subscription.queue is None
