"""Mount with `path("api/", include("events.api.urls"))`, under any prefix and namespace."""

from __future__ import annotations

from django.urls import path

from .views import CommandListView, CommandView, EventView, StreamEventsView

app_name = "events_api"

urlpatterns = [
    path("commands", CommandListView.as_view(), name="commands"),
    path("commands/<str:slug>", CommandView.as_view(), name="command"),
    path("streams/<path:stream>/events", StreamEventsView.as_view(), name="stream-events"),
    path("events/<str:event_id>", EventView.as_view(), name="event"),
]
