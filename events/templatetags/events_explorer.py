"""The small parts that pages of the explorer are made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..explorer import navigation
from ..explorer.charts import LineChart, sparkline
from ..explorer.disclosure import disclosure_of
from ..explorer.json_tree import tree
from ..explorer.links import page_url
from ..explorer.presentation import badge, moment, one_line, pretty_json
from ..models import Event
from ..personal import Hidden

register = template.Library()

_COMPONENTS = "events/explorer/components"
MAX_NOTICES = 3
MAX_SHORT = 80

register.simple_tag(badge)


@register.inclusion_tag(f"{_COMPONENTS}/navigation.html", takes_context=True)
def explorer_navigation(context: template.Context) -> dict[str, Any]:
    return {"links": navigation.navigation(context["request"])}


@register.inclusion_tag(f"{_COMPONENTS}/personal.html", takes_context=True)
def personal_notice(context: template.Context) -> dict[str, Any]:
    """Where personal data of a page is hidden or revealed. Put it below the data: it tells what
    has been rendered, or prepared by the view, so far."""
    request = context["request"]
    disclosure = disclosure_of(request)
    hidden = [{"stream": stream} for stream in disclosure.hidden_in[:MAX_NOTICES]]
    shown = [
        {"stream": stream, "until": moment(datetime.fromisoformat(disclosure.revealed[stream]))}
        for stream in disclosure.revealed_in[:MAX_NOTICES]
    ]
    if not hidden and not shown:
        return {}
    return {
        "notices": [*hidden, *shown],
        "may_reveal": disclosure.may_reveal,
        "url": page_url(navigation.site_of(request), Event, "reveal"),
        "next": request.get_full_path(),
    }


@register.simple_tag
def timestamp(value: datetime | None) -> SafeString | str:
    """To the millisecond, in the current time zone; the script turns it into an age on demand."""
    if value is None:
        return "-"
    text = moment(value)
    zone = timezone.localtime(value).tzname()
    return format_html(
        '<time class="explorer-time" datetime="{}" title="{} {}">{}</time>',
        value.isoformat(),
        text,
        zone,
        text,
    )


@register.simple_tag
def text_or_time(value: Any) -> Any:
    return timestamp(value) if isinstance(value, datetime) else value


@register.simple_tag(takes_context=True)
def explorer_page(context: template.Context, app_label: str, model: str, name: str) -> str:
    """The address of a page of the explorer that has no arguments."""
    site = navigation.site_of(context["request"])
    return reverse(f"admin:{app_label}_{model}_{name}", current_app=site.name)


@register.inclusion_tag(f"{_COMPONENTS}/json.html")
def json_panel(id: str, title: Any, value: Any, *, note: Any = "") -> dict[str, Any]:
    """A section with the value as a tree and, folded in, as text to be copied."""
    return {
        "id": id,
        "title": title,
        "note": note,
        "root": tree(value),
        "text": pretty_json(value),
    }


@register.inclusion_tag(f"{_COMPONENTS}/tree.html")
def json_tree(value: Any) -> dict[str, Any]:
    return {"root": tree(value)}


@register.simple_tag
def short(value: Any) -> SafeString:
    """A JSON value on one line, cut where it is long."""
    if isinstance(value, Hidden):
        return format_html('<span class="explorer-hidden">{}</span>', value)
    text = one_line(value)
    return format_html('<span title="{}">{}</span>', text, text[:MAX_SHORT])


@register.inclusion_tag(f"{_COMPONENTS}/facts.html")
def facts(rows: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    """(label, value) as a list of terms. Moments become time stamps; markup is given as
    SafeString."""
    return {
        "rows": [
            (label, timestamp(value) if isinstance(value, datetime) else value)
            for label, value in rows
        ]
    }


@register.inclusion_tag(f"{_COMPONENTS}/line_chart.html")
def line_chart(chart: LineChart, id: str) -> dict[str, Any]:
    return {"chart": chart, "id": id}


@register.inclusion_tag(f"{_COMPONENTS}/sparkline.html")
def spark(title: Any, values: Sequence[float | None]) -> dict[str, Any]:
    return {"chart": sparkline(title, values)}
