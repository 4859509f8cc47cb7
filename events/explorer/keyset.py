"""A change list that costs the same on the first page and the last, of ten rows and ten million.

Django's own counts twice for each page and skips by OFFSET. Everything that makes it do so, or
lets a visitor compose a query that no index serves, is switched off here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters, ShowFacets
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from .conditions import Condition, Conditions, SearchError, combine
from .filters import StoredValueFilter
from .index_range import IndexRange
from .links import object_url
from .paging import AFTER, BEFORE, InvalidCursor, Page, cursor_of, page_links, read_page

if TYPE_CHECKING:
    _ModelAdmin: TypeAlias = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


class KeysetChangeList(ChangeList):
    model_admin: KeysetAdmin
    page: Page[Any]
    conditions: Conditions
    index_range: IndexRange
    #: Why nothing was looked for, if so.
    search_problem = ""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        # As Django does with its page number: neither a lookup nor a hidden field of the search.
        for parameter in (AFTER, BEFORE):
            self.params.pop(parameter, None)
            self.filter_params.pop(parameter, None)
        queryset = super().get_queryset(request, exclude_parameters)
        return queryset.defer(*self.model_admin.list_defer)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return list(self.model_admin.ordering or ())

    def get_results(self, request: HttpRequest) -> None:
        queryset, self.conditions = self._narrowed(request)
        self.index_range = self.model_admin.index_range(self.conditions)
        try:
            cursor = cursor_of(request.GET, self.index_range, self.model)
        except InvalidCursor as error:
            raise IncorrectLookupParameters(error) from error
        self.page = read_page(
            queryset, self.index_range, cursor, self.list_per_page, self.conditions.further
        )
        self.links = page_links(self.page, self.filter_params)
        self.result_list = self.page.rows
        # Of this page, and equal, so that no template announces a total.
        self.result_count = self.full_result_count = len(self.page.rows)
        self.show_full_result_count = self.show_admin_actions = False
        self.can_show_all = self.multi_page = False

    def _narrowed(self, request: HttpRequest) -> tuple[QuerySet[Any], Conditions]:
        try:
            conditions = combine(self._conditions(request))
        except SearchError as error:
            self.search_problem = str(error)
            messages.error(request, self.search_problem)
            return self.queryset.none(), Conditions()
        return self.queryset.annotate(**conditions.annotations), conditions

    @property
    def is_narrowed(self) -> bool:
        return bool(self.query or self.has_active_filters)

    @property
    def without_search(self) -> str:
        return self.get_query_string({SEARCH_VAR: None})

    def _conditions(self, request: HttpRequest) -> list[Condition]:
        searched = self.model_admin.get_conditions(request, self.query)
        filtered = [
            spec.condition() for spec in self.filter_specs if isinstance(spec, StoredValueFilter)
        ]
        return [*searched, *(condition for condition in filtered if condition)]


class KeysetAdmin(_ModelAdmin):
    """`ordering` must be a unique key, all its columns rising or all falling."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    sortable_by = ()
    actions: Sequence[Any] | None = None
    change_list_template = "events/explorer/change_list.html"
    #: Large columns, which a list doesn't show.
    list_defer: Sequence[str] = ()

    class Media:
        css = {"all": ["events/explorer.css"]}

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        """What the search asks for, all of it; the one that lets fewest rows through first.
        Raises SearchError."""
        return []

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset, False  # see get_conditions

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        if "\0" in object_id:  # in no key, and PostgreSQL takes no parameter with it
            return None
        return super().get_object(request, object_id, from_field)

    def index_range(self, conditions: Conditions) -> IndexRange:
        ordering, served = cast("Sequence[str]", self.ordering), conditions.served
        if served is None:
            return IndexRange(ordering)
        return IndexRange(served.ordering or ordering, served.values)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only the list's own filters: Django would take any lookup on any column."""
        return any(
            isinstance(list_filter, type)
            and issubclass(list_filter, StoredValueFilter)
            and list_filter.parameter_name == lookup
            for list_filter in self.get_list_filter(request)
        )


class ReadOnlyAdmin(_ModelAdmin):
    """For rows that code alone writes: nobody adds, changes or deletes, superusers included."""

    change_form_template = "events/explorer/change_form.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the admin remembers of its own changes: none here. It would be counted."""
        return redirect(object_url(self.admin_site, self.model, object_id))
