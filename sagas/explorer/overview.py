"""What the overview tells of sagas: those that wait for somebody, and what is overdue."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from events.explorer.links import list_url, object_url
from events.explorer.overview import Cell, Section, Tile, add_sections, add_tiles
from events.explorer.permissions import may_view
from events.explorer.presentation import count_up_to, duration
from events.explorer.queries import in_log_database

from ..models import SagaInstance, SagaTimer
from ..state import Status
from .details import TONES
from .queries import MAX_COUNT, counts_by_status
from .stuck import newest_stuck

MAX_ROWS = 5
#: So long without anything recorded is worth a look.
QUIET_FOR = timedelta(hours=1)
#: Timers are fired twice a second by workers that are awake.
LATE_AFTER = timedelta(seconds=30)


@add_tiles
def saga_tiles(site: AdminSite, request: HttpRequest) -> list[Tile]:
    if not may_view(site, request, SagaInstance):
        return []
    counts = counts_by_status()
    waiting = counts[Status.NEEDS_INTERVENTION] + counts[Status.BLOCKED]
    running = counts[Status.RUNNING] + counts[Status.COMPENSATING]
    return [
        Tile(
            label=_("Sagas that need somebody"),
            value=count_up_to(waiting, MAX_COUNT),
            note=_("an item is open, or they are blocked") if waiting else _("none"),
            tone="bad" if waiting else "good",
            url=list_url(site, SagaInstance, stuck="1h"),
        ),
        Tile(
            label=_("Sagas at work"),
            value=count_up_to(running, MAX_COUNT),
            tone="busy" if running else "quiet",
            url=list_url(site, SagaInstance, status="running"),
        ),
        _timers_tile(site),
    ]


def _timers_tile(site: AdminSite) -> Tile:
    rows = in_log_database(SagaTimer.objects.only("due_at")).order_by("due_at", "id")
    first, now, url = rows.first(), timezone.now(), list_url(site, SagaTimer)
    if first is None:
        return Tile(label=_("Timers"), value=_("none"), url=url)
    if first.due_at < now - LATE_AFTER:
        note = _("by %(late)s: is a worker running?") % {"late": duration(now - first.due_at)}
        return Tile(label=_("Timers"), value=_("overdue"), note=note, tone="bad", url=url)
    time = duration(max(timedelta(0), first.due_at - now))
    note = _("the next one in %(time)s") % {"time": time}
    return Tile(label=_("Timers"), value=_("on time"), note=note, tone="good", url=url)


@add_sections
def stuck_sagas(site: AdminSite, request: HttpRequest) -> list[Section]:
    if not may_view(site, request, SagaInstance):
        return []
    rows = newest_stuck(timezone.now() - QUIET_FOR, MAX_ROWS)
    return [
        Section(
            id="sagas",
            title=_("Sagas that need somebody, or have gone quiet"),
            columns=[_("Saga"), _("Status"), _("What for"), _("Recorded last")],
            rows=[
                [
                    Cell(text=row.saga_id, url=object_url(site, SagaInstance, row.saga_id)),
                    Cell(text=row.get_status_display(), tone=TONES[Status(row.status)]),
                    Cell(text=_why(row)),
                    Cell(text=row.updated_at),
                ]
                for row in rows
            ],
            empty=_("None."),
            url=list_url(site, SagaInstance, stuck="1h"),
        )
    ]


def _why(row: SagaInstance) -> str:
    told = [f"{step}: {item['problem']}" for step, item in row.open_items.items()]
    return "; ".join(told)[:120] or ", ".join(row.under_way) or "-"
