"""The page of reports, in place of a list of the figures that they are made of."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from events.explorer.content_policy import guarded
from events.explorer.keyset import ReadOnlyAdmin

from ..models import OrderFigures
from ..reports.figures import currencies, figures_of
from ..reports.sections import sections


@admin.register(OrderFigures)
class OrderFiguresAdmin(ReadOnlyAdmin):
    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        view = self.admin_site.admin_view(self.reports)
        return guarded([path("", view, name=name)])

    def reports(self, request: HttpRequest) -> HttpResponseBase:
        request.current_app = self.admin_site.name
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return TemplateResponse(request, "orders/reports.html", self._context(request))

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        known = currencies()
        wanted = request.GET.get("currency")
        currency = wanted if wanted in known else next(iter(known), None)
        return {
            **self.admin_site.each_context(request),
            "title": _("Reports"),
            "opts": self.opts,
            "crumbs_only": True,
            "currency": currency,
            "currencies": known,
            "sections": sections(figures_of(currency)) if currency else [],
        }
