"""How far an operation is, and what became of its items."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import FailedEvent, Operation, OperationItem
from .index_range import Cursor, IndexRange
from .links import object_url
from .paging import InvalidCursor, cursor_of, page_links, read_page
from .permissions import may_view
from .presentation import duration
from .queries import in_log_database

ITEMS_PER_PAGE = 50
#: With something to be done and nobody who got on with it for so long, no worker is awake.
STALLED_AFTER = timedelta(minutes=1)

TONES = {
    Operation.Status.WAITING: "quiet",
    Operation.Status.RUNNING: "busy",
    Operation.Status.DONE: "good",
    Operation.Status.CANCELLED: "warning",
    Operation.Status.FAILED: "bad",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    operation: Operation

    @property
    def reached(self) -> int:
        row = self.operation
        return row.done + row.skipped + row.failed

    @property
    def percent(self) -> int:
        if not self.operation.total:
            return 100 if self.operation.status == Operation.Status.DONE else 0
        return min(100, 100 * self.reached // self.operation.total)

    @property
    def rate(self) -> float | None:
        """A second."""
        row = self.operation
        last = row.ended_at or row.updated_at
        if row.started_at is None or last is None or not self.reached:
            return None
        seconds = (last - row.started_at).total_seconds()
        return self.reached / seconds if seconds > 0 else None

    @property
    def time_left(self) -> str | None:
        if not self.operation.is_open or not self.rate:
            return None
        return duration(timedelta(seconds=(self.operation.total - self.reached) / self.rate))

    @property
    def is_stalled(self) -> bool:
        row = self.operation
        seen = row.updated_at or row.created_at
        return row.is_open and timezone.now() - seen > STALLED_AFTER

    @property
    def tone(self) -> str:
        return TONES[Operation.Status(self.operation.status)]


def operation_rows(site: AdminSite, rows: Iterable[Operation]) -> list[dict[str, Any]]:
    return [
        {
            "row": row,
            "progress": Progress(operation=row),
            "url": object_url(site, Operation, row.pk),
        }
        for row in rows
    ]


def open_operations(limit: int) -> list[Operation]:
    rows = in_log_database(Operation.objects.filter(status__in=Operation.OPEN))
    return list(rows.order_by("pk")[:limit])


def operation_details(site: AdminSite, request: HttpRequest, row: Operation) -> dict[str, Any]:
    progress = Progress(operation=row)
    return {
        "title": str(row),
        "subtitle": "",
        "progress": progress,
        "conditions": [
            (_LABELS[name](), value) for name, value in row.conditions.items() if name in _LABELS
        ],
        "facts": [
            (_("Asked for"), row.created_at),
            (_("By"), row.actor),
            (_("Why"), row.reason or "-"),
            (_("Begun"), row.started_at or "-"),
            (_("Got on last"), row.updated_at or "-"),
            (_("Ended"), row.ended_at or "-"),
            (_("In all"), f"{row.total:,}"),
            (_("Done"), f"{row.done:,}"),
            (_("Skipped"), f"{row.skipped:,}"),
            (_("Failed"), f"{row.failed:,}"),
            (_("A second"), f"{progress.rate:,.0f}" if progress.rate else "-"),
            (_("Time left, about"), progress.time_left or "-"),
        ],
        **_items(site, request, row),
    }


_LABELS = {
    "fingerprint": lambda: _("group"),
    "subscription": lambda: _("subscription"),
    "event_type": lambda: _("event type"),
    "stream": lambda: _("stream"),
    "up_to": lambda: _("up to failed event"),
}


def _items(site: AdminSite, request: HttpRequest, row: Operation) -> dict[str, Any]:
    """Of one status: at first those that somebody may want to look at."""
    if row.kind == Operation.Kind.REBUILD:
        return {}
    statuses = OperationItem.Status
    chosen = request.GET.get("items", "")
    if chosen not in statuses.values:
        chosen = (
            statuses.FAILED if row.failed else statuses.SKIPPED if row.skipped else statuses.DONE
        )
    rows = in_log_database(OperationItem.objects.filter(operation=row))
    of_status = IndexRange(["id"], {"operation_id": row.pk, "status": str(chosen)})
    try:
        cursor = cursor_of(request.GET, of_status, OperationItem)
    except InvalidCursor:
        cursor = Cursor()
    page = read_page(rows, of_status, cursor, ITEMS_PER_PAGE)
    leads_on = may_view(site, request, FailedEvent)
    there = _still_there([item.failed_event for item in page.rows]) if leads_on else set()
    return {
        "item_status": chosen,
        "item_statuses": statuses.choices,
        "items": [
            {
                "item": item,
                "url": object_url(site, FailedEvent, item.failed_event)
                if item.failed_event in there
                else None,
            }
            for item in page.rows
        ],
        "links": page_links(page, dict(request.GET.lists())),
    }


def _still_there(ids: list[int]) -> set[int]:
    rows = in_log_database(FailedEvent.objects.filter(pk__in=ids))
    return set(rows.values_list("pk", flat=True)) if ids else set()
