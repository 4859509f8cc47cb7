"""What the pages of all explored models have in common: see `events`, `streams`, `delivery`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from ..explorer.content_policy import guarded
from ..explorer.keyset import KeysetAdmin, ReadOnlyAdmin
from ..explorer.queries import in_log_database
from .pages import ExplorerPage


class LogAdmin(ReadOnlyAdmin, KeysetAdmin):
    """`details` gives the context of a row's own page."""

    details: Callable[[AdminSite, HttpRequest, Any], dict[str, Any]]
    pages: Sequence[ExplorerPage] = ()

    def get_urls(self) -> list[URLPattern]:
        return guarded([*self.page_urls(), *super().get_urls()])

    def page_urls(self) -> list[URLPattern]:
        """They come before those of Django, which take any text for the key of a row."""
        return [page.pattern(self) for page in self.pages]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return in_log_database(super().get_queryset(request))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context.update(self.details(self.admin_site, request, obj))
        return super().render_change_form(request, context, add, change, form_url, obj)
