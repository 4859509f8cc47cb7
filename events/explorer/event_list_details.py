"""What the list of events has besides its rows: saved views, links, and the columns of hosts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.translation import gettext as _

from ..models import Event
from ..personal import hide_in_event
from . import saved_views
from .extensions import Column, explorer
from .links import list_url, page_url
from .permissions import has_permission
from .queries import recorded

#: Sent by the script that watches the list: it wants nothing where the rows are the same.
WATCH_HEADER = "X-Explorer-Rows"


def list_context(site: AdminSite, request: HttpRequest) -> dict[str, Any]:
    query = request.GET.urlencode()

    def url(name: str) -> str:
        address = page_url(site, Event, name)
        return f"{address}?{query}" if query else address

    listed = list_url(site, Event)
    return {
        "title": _("Events"),
        "views": [
            {
                "view": view,
                "url": f"{listed}?{view.query}" if view.query else listed,
                "is_current": view.query == query,
                "delete_url": (
                    page_url(site, Event, "delete_view", arguments={"key": view.pk})
                    if saved_views.may_delete(request, view)
                    else None
                ),
            }
            for view in saved_views.views_for(request)
        ],
        "save_url": url("save_view") if saved_views.may_save(request) else None,
        "export_url": url("export") if has_permission(request, Event, "export_event") else None,
    }


def extension_columns(request: HttpRequest) -> list[Callable[[Event], Any]]:
    return [_column(each) for each in explorer.columns.values()]


def _column(column: Column) -> Callable[[Event], Any]:
    def value(event: Event) -> Any:
        whole = recorded(event)
        shown = replace(whole, data=hide_in_event(event.event_type, event.event_data))
        try:
            return column.value(shown)
        except Exception as error:  # the host's code: the list is shown without it
            return f"({type(error).__name__})"

    value.__name__ = column.name
    value.short_description = column.title  # type: ignore[attr-defined]
    return value


def unchanged(request: HttpRequest, response: HttpResponse) -> HttpResponse | None:
    """An empty answer to the script that watches the list, where the list has the same rows."""
    found = getattr(response, "context_data", None) or {}
    if "cl" not in found:
        return None
    rows = ",".join(str(event.pk) for event in found["cl"].result_list[:1])
    found["newest_row"] = rows
    return HttpResponseNotModified() if request.headers.get(WATCH_HEADER) == rows else None
