"""What the overview tells of subscriptions, failures and operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..delivery import metrics
from ..delivery.metrics import SubscriptionMetrics
from ..models import FailedEvent, LagSample, Operation, OperatorAction, SubscriptionState
from . import failure_groups
from .links import list_url, object_url, page_url
from .operation_details import open_operations, operation_rows
from .overview import Cell, Section, Tile, add_sections, add_tiles
from .permissions import may_view
from .presentation import count_up_to
from .queries import in_log_database
from .subscription_details import never_run, seconds_behind

MAX_ROWS = 5
#: Of the log, in positions, that is no reason to look closer.
_NOTEWORTHY_LAG = 1_000
#: Of a group: the page of all of them counts further.
_COUNTED = 100

RowT = TypeVar("RowT")


def _measured(request: HttpRequest) -> list[SubscriptionMetrics]:
    def measure() -> list[SubscriptionMetrics]:
        return [each for each in metrics.snapshot(in_brief=True) if each.lanes]

    return _once(request, "_events_measured", measure)


def _under_way(request: HttpRequest) -> list[Operation]:
    return _once(request, "_events_under_way", lambda: open_operations(MAX_ROWS + 1))


def _once(request: HttpRequest, name: str, read: Callable[[], list[RowT]]) -> list[RowT]:
    """For the whole page."""
    if not hasattr(request, name):
        setattr(request, name, read())
    found: list[RowT] = getattr(request, name)
    return found


@add_tiles
def delivery_tiles(site: AdminSite, request: HttpRequest) -> list[Tile]:
    tiles: list[Tile] = []
    if may_view(site, request, SubscriptionState):
        found = _measured(request)
        tiles += [_lag_tile(site, found), _held_tile(site, found), _rate_tile(found)]
    if may_view(site, request, FailedEvent):
        tiles += _failure_tiles(site, _measured(request))
    if may_view(site, request, Operation):
        tiles.append(_operations_tile(site, _under_way(request)))
    return tiles


def _lag_tile(site: AdminSite, found: Sequence[SubscriptionMetrics]) -> Tile:
    active = [each for each in found if each.status == "active" and each.has_code]
    worst = max(active, key=lambda each: each.lag or 0, default=None)
    if worst is None or not worst.lag:
        return Tile(
            label=_("Worst lag"),
            value=_("none"),
            note=_("all subscriptions are at the end of the log"),
            tone="good",
            url=list_url(site, SubscriptionState),
        )
    return Tile(
        label=_("Worst lag"),
        value=seconds_behind(worst),
        note=_("%(name)s, %(lag)s events of the log")
        % {"name": worst.name, "lag": f"{worst.lag:,}"},
        tone="warning" if worst.lag > _NOTEWORTHY_LAG else "busy",
        url=object_url(site, SubscriptionState, worst.name),
    )


def _held_tile(site: AdminSite, found: Sequence[SubscriptionMetrics]) -> Tile:
    held = [each for each in found if _why_held(each)]
    return Tile(
        label=_("Subscriptions that stand still"),
        value=len(held),
        note=", ".join(each.name for each in held[:3]) or _("none is paused, stopped or backs off"),
        tone="bad" if held else "good",
        url=list_url(site, SubscriptionState),
    )


def _rate_tile(found: Sequence[SubscriptionMetrics]) -> Tile:
    rows = in_log_database(LagSample.objects.only("taken_at", "head"))
    samples = list(rows.order_by("-interval")[:20])
    rate = "-"
    if len(samples) > 1:
        seconds = (samples[0].taken_at - samples[-1].taken_at).total_seconds()
        rate = f"{max(0, samples[0].head - samples[-1].head) / seconds:,.1f}"
    head = found[0].head if found else 0
    return Tile(
        label=_("Events a second"),
        value=rate,
        note=_("the log ends at %(head)s") % {"head": f"{head:,}"},
    )


def _failure_tiles(site: AdminSite, found: Sequence[SubscriptionMetrics]) -> list[Tile]:
    dead, retrying = sum(each.parked for each in found), sum(each.retrying for each in found)
    is_more = any(each.parked >= metrics.MAX_COUNT for each in found)
    return [
        Tile(
            label=_("Dead letters"),
            value=f"{dead:,}" + ("+" if is_more else ""),
            note=_("each holds up its stream") if dead else _("nothing waits for an operator"),
            tone="bad" if dead else "good",
            url=page_url(site, FailedEvent, "groups"),
        ),
        Tile(
            label=_("Waiting for a retry"),
            value=count_up_to(retrying, metrics.MAX_COUNT),
            tone="busy" if retrying else "quiet",
            url=list_url(site, FailedEvent, status="retrying"),
        ),
    ]


def _operations_tile(site: AdminSite, under_way: Sequence[Operation]) -> Tile:
    return Tile(
        label=_("Operations under way"),
        value=count_up_to(len(under_way), MAX_ROWS + 1),
        tone="busy" if under_way else "quiet",
        url=list_url(site, Operation),
    )


@add_sections
def delivery_sections(site: AdminSite, request: HttpRequest) -> list[Section]:
    sections: list[Section] = []
    if may_view(site, request, SubscriptionState):
        sections.append(_behind(site, _measured(request)))
    if may_view(site, request, FailedEvent):
        sections.append(_groups(site, request))
    if may_view(site, request, Operation):
        sections.append(_operations(site, _under_way(request)))
    if may_view(site, request, OperatorAction):
        sections.append(_actions(site))
    return sections


def _why_held(each: SubscriptionMetrics) -> str:
    if not each.has_code:
        return _("not in the code")
    if each.backs_off_until:
        return _("backs off")
    return "" if each.status == "active" else each.status


def _behind(site: AdminSite, found: Sequence[SubscriptionMetrics]) -> Section:
    noteworthy = [each for each in found if _why_held(each) or each.lag]
    noteworthy.sort(key=lambda each: (not _why_held(each), -(each.lag or 0)))
    new = never_run({each.name for each in found})
    rows = [
        [
            Cell(text=each.name, url=object_url(site, SubscriptionState, each.name)),
            Cell(text=_why_held(each) or _("at work"), tone="bad" if _why_held(each) else "busy"),
            Cell(text=f"{each.lag or 0:,}", is_number=True),
            Cell(text=seconds_behind(each), is_number=True),
        ]
        for each in noteworthy[:MAX_ROWS]
    ]
    said = ngettext(
        "%(count)d subscription of the code has never run.",
        "%(count)d subscriptions of the code have never run.",
        len(new),
    ) % {"count": len(new)}
    return Section(
        id="behind",
        title=_("Subscriptions that stand still or are behind"),
        columns=[_("Subscription"), _("State"), _("Lag"), _("Behind by")],
        rows=rows,
        empty=said if new else _("None."),
        url=list_url(site, SubscriptionState),
    )


def _groups(site: AdminSite, request: HttpRequest) -> Section:
    found = failure_groups.groups(count_to=_COUNTED)[:MAX_ROWS]
    return Section(
        id="groups",
        title=_("Failures, by their cause"),
        columns=[_("Error"), _("Subscription"), _("Failed events"), _("Newest failure")],
        rows=[
            [
                Cell(text=row["error"][:120], url=row["url"]),
                Cell(text=row["group"].newest.subscription_id),
                Cell(text=row["group"].shown_count, is_number=True),
                Cell(text=row["group"].newest.last_failed_at),
            ]
            for row in failure_groups.group_rows(site, request, found)
        ],
        empty=_("Nothing has failed."),
        url=page_url(site, FailedEvent, "groups"),
    )


def _operations(site: AdminSite, under_way: Sequence[Operation]) -> Section:
    rows = operation_rows(site, under_way[:MAX_ROWS])
    return Section(
        id="operations",
        title=_("Operations under way"),
        columns=[_("Operation"), _("By"), _("Done"), _("Time left, about")],
        rows=[
            [
                Cell(text=str(row["row"]), url=row["url"]),
                Cell(text=row["row"].actor),
                Cell(text=f"{row['progress'].percent} %", is_number=True),
                Cell(text=row["progress"].time_left or "-"),
            ]
            for row in rows
        ],
        empty=_("None."),
        url=list_url(site, Operation),
    )


def _actions(site: AdminSite) -> Section:
    newest = in_log_database(OperatorAction.objects.defer("details")).order_by("-id")
    return Section(
        id="actions",
        title=_("What operators did last"),
        columns=[_("At"), _("By"), _("Action"), _("About"), _("Why")],
        rows=[
            [
                Cell(text=row.done_at, url=object_url(site, OperatorAction, row.pk)),
                Cell(text=row.actor),
                Cell(text=row.action),
                Cell(text=row.subject or row.subscription),
                Cell(text=row.reason[:100]),
            ]
            for row in newest[:MAX_ROWS]
        ],
        empty=_("Nothing yet."),
        url=list_url(site, OperatorAction),
    )
