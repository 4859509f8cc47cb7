"""What a dry run has shown, for the page that asked for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from ..delivery.dry_run import DryRun
from ..models import Event, FailedEvent
from .disclosure import disclosure_of
from .failed_event_details import shown_texts
from .permissions import may_view
from .presentation import duration

MAX_EVENTS = 50


def dry_run_details(
    site: AdminSite, request: HttpRequest, row: FailedEvent, tried: DryRun
) -> dict[str, Any]:
    disclosure, sees_data = disclosure_of(request), may_view(site, request, Event)
    error, traceback = shown_texts(request, row, tried.error or "", tried.traceback)
    appended = [
        {
            "id": f"appended-{number}",
            "event_type": event.event_type,
            "stream": str(event.stream),
            "data": disclosure.data(str(event.stream), event.event_type, event.data)
            if sees_data
            else None,
        }
        for number, event in enumerate(tried.events[:MAX_EVENTS])
    ]
    return {
        "tried": tried,
        "sees_data": sees_data,
        "error": error,
        "traceback": traceback,
        "appended": appended,
        "more_appended": max(0, len(tried.events) - MAX_EVENTS),
        "took": duration(timedelta(seconds=tried.seconds)),
    }
