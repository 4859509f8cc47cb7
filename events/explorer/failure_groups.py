"""Failures that share a cause: by the error's type and its place in the code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from ..conf import events_settings
from ..models import FailedEvent
from .failed_event_details import shown_errors, shown_texts
from .index_range import Cursor, IndexRange
from .links import list_url, object_url, page_url
from .presentation import count_up_to
from .queries import in_log_database

#: Groups on a page, and where the count of one ends.
MAX_GROUPS = 100
MAX_COUNT = 1_000
MAX_SAMPLES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """By its newest failure."""

    fingerprint: str
    newest: FailedEvent
    #: Of all states, up to the limit.
    count: int
    limit: int

    @property
    def shown_count(self) -> str:
        return count_up_to(self.count, self.limit)


# The next fingerprints by a loose scan of their index; of each the newest row, and a count that has
# an end. All of it short ranges of one index.
_GROUPS = """
    WITH RECURSIVE stored (value) AS (
        SELECT MIN(fingerprint) FROM events_failed WHERE fingerprint > %s
        UNION ALL
        SELECT (SELECT MIN(fingerprint) FROM events_failed WHERE fingerprint > stored.value)
        FROM stored WHERE stored.value IS NOT NULL
    ),
    wanted (value) AS (SELECT value FROM stored WHERE value IS NOT NULL LIMIT %s)
    SELECT {columns}, (
        SELECT count(*) FROM (
            SELECT 1 FROM events_failed WHERE fingerprint = wanted.value LIMIT %s
        ) AS counted
    ) AS members
    FROM wanted JOIN events_failed AS newest
        ON newest.id = (SELECT MAX(id) FROM events_failed WHERE fingerprint = wanted.value)
    ORDER BY newest.id DESC
"""
_LARGE = ("traceback", "edited")


def groups(after: str = "", limit: int = MAX_GROUPS, *, count_to: int = MAX_COUNT) -> list[Group]:
    """Of the next fingerprints, the one that failed last first. What has only waited has none."""
    columns = ", ".join(
        f"newest.{field.column}"
        for field in FailedEvent._meta.concrete_fields
        if field.name not in _LARGE
    )
    rows: Any = FailedEvent.objects.raw(
        _GROUPS.format(columns=columns), [after, limit, count_to], using=events_settings().database
    )
    return [
        Group(fingerprint=row.fingerprint, newest=row, count=row.members, limit=count_to)
        for row in rows
    ]


def groups_details(site: AdminSite, request: HttpRequest) -> dict[str, Any]:
    found = groups(request.GET.get("after", ""), MAX_GROUPS + 1)
    has_more = len(found) > MAX_GROUPS
    if has_more:
        last = max(group.fingerprint for group in found)
        found = [group for group in found if group.fingerprint != last]
    return {
        "groups": group_rows(site, request, found),
        "next_url": page_url(
            site, FailedEvent, "groups", after=max(group.fingerprint for group in found)
        )
        if has_more
        else None,
        "is_first": "after" not in request.GET,
        "list_url": list_url(site, FailedEvent),
    }


def group_rows(site: AdminSite, request: HttpRequest, found: list[Group]) -> list[dict[str, Any]]:
    errors = shown_errors(request, [group.newest for group in found])
    return [
        {
            "group": group,
            "error": errors[group.newest.pk],
            "url": page_url(site, FailedEvent, "group", fingerprint=group.fingerprint),
        }
        for group in found
    ]


def group_details(site: AdminSite, request: HttpRequest) -> dict[str, Any]:
    """Of the fingerprint in the address."""
    fingerprint = request.GET.get("fingerprint", "")
    of_group = IndexRange(["-id"], {"fingerprint": fingerprint})
    rows = in_log_database(FailedEvent.objects.defer("edited"))
    newest = list(of_group.rows(rows, Cursor())[:MAX_SAMPLES]) if fingerprint else []
    if not newest:
        raise Http404(_("No failed event is in this group."))
    oldest = of_group.rows(rows, Cursor(key=(0,), backwards=True))[:1]
    errors = shown_errors(request, newest)
    return {
        "title": newest[0].error_type or _("Group"),
        "fingerprint": fingerprint,
        "error": errors[newest[0].pk],
        "traceback": shown_texts(request, newest[0], newest[0].traceback)[0],
        "samples": [
            {"row": row, "error": errors[row.pk], "url": object_url(site, FailedEvent, row.pk)}
            for row in newest
        ],
        "facts": [
            (_("Failed events"), count_up_to(_count(fingerprint), MAX_COUNT)),
            (_("Newest failure"), newest[0].last_failed_at or "-"),
            (_("Oldest, first failed"), oldest[0].first_failed_at or "-"),
            (
                _("Subscriptions, of the newest"),
                ", ".join(sorted({r.subscription_id for r in newest})),
            ),
            (_("Event types, of the newest"), ", ".join(sorted({r.event_type for r in newest}))),
        ],
        "list_url": list_url(site, FailedEvent, group=fingerprint),
        "crumbs": [(_("Groups"), page_url(site, FailedEvent, "groups"))],
    }


def _count(fingerprint: str) -> int:
    rows = in_log_database(FailedEvent.objects.filter(fingerprint=fingerprint))
    return len(rows.order_by("fingerprint", "id").values_list("pk")[:MAX_COUNT])
