"""Lists of rows that operators can do something about. What that is, `operating` says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from ..explorer.keyset import KeysetChangeList
from . import operating
from .log import LogAdmin


class OperatedChangeList(KeysetChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.show_admin_actions = True


class OperationsAdmin(LogAdmin):
    """With the pages of what may be done to its rows."""

    operations: Sequence[operating.OperationPage] = ()

    def page_urls(self) -> list[URLPattern]:
        operating = [
            path(
                f"operate/{operation.name}/",
                self.admin_site.admin_view(operation.view(self)),
                name=operation.url_name(self),
            )
            for operation in self.operations
        ]
        return [*operating, *super().page_urls()]


class OperatedAdmin(OperationsAdmin):
    """Its actions lead to a page that asks for a reason. They are done there, to the rows that
    page has shown."""

    change_list_class: type[KeysetChangeList] = OperatedChangeList

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return self.change_list_class

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None of the site's: they are for rows that may be changed."""
        own: Sequence[Any] = self.actions or ()
        return {name: act for name, act in super().get_actions(request).items() if name in own}

    def response_action(  # type: ignore[override]
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponseBase | None:
        # "All rows of the list" would be those of another moment than the one that was looked at.
        data = request.POST.copy()
        data["select_across"] = "0"
        request.POST = data  # type: ignore[assignment]
        return super().response_action(request, queryset)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context["operations"] = self.operation_links(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def operation_links(self, request: HttpRequest, row: Any) -> list[operating.OperationLink]:
        """What this user may do to the row; what the row doesn't allow as it stands, with why."""
        return [
            operating.OperationLink(
                operation.label, operation.url(self, [row.pk]), operation.why_not(row)
            )
            for operation in self.operations
            if operation.is_permitted(self, request)
        ]
