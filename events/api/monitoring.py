"""What Prometheus scrapes. Opt in: `path("metrics", include("events.api.monitoring"))`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.urls import path
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from ..delivery.prometheus import prometheus_text
from .base import EventsAPIView
from .permissions import MayMonitor
from .renderers import JSONRenderer


class _OneFormat(BaseContentNegotiation):
    """Whatever the scraper would like best: there is one format, and JSON for problems."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        [renderer] = renderers
        return renderer, str(renderer.media_type)


class MetricsView(EventsAPIView):
    """For users who may view subscriptions, by HTTP Basic or whatever the API takes."""

    name = "Metrics"
    permission_classes = [MayMonitor]
    renderer_classes = [JSONRenderer]
    content_negotiation_class: Any = _OneFormat

    def get(self, request: Request) -> HttpResponse:
        text, media_type = prometheus_text()
        return HttpResponse(text, content_type=media_type)


app_name = "events_monitoring"
urlpatterns = [path("", MetricsView.as_view(), name="metrics")]
