"""Filters by the values that an indexed column holds, found without reading the table."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from . import failure_groups
from .conditions import Condition
from .queries import stored_values


class StoredValueFilter(SimpleListFilter):
    """`column` is the first one of an index."""

    column: str

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, Any]]:
        return [(value, value) for value in stored_values(model_admin.model, self.column)]

    def condition(self) -> Condition | None:
        value = self.value()
        if value is None:
            return None
        if not value.isprintable():
            raise IncorrectLookupParameters(f"{self.parameter_name}: {value!r}")
        return Condition(values={self.column: value})

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset  # the change list asks for the condition


class EventTypeFilter(StoredValueFilter):
    title = _("event type")
    parameter_name = "type"
    column = "event_type"


class CategoryFilter(StoredValueFilter):
    title = _("category")
    parameter_name = "category"
    column = "aggregate_type"


class FailedStatusFilter(StoredValueFilter):
    title = _("status")
    parameter_name = "status"
    column = "status"


class FailedSubscriptionFilter(StoredValueFilter):
    title = _("subscription")
    parameter_name = "subscription"
    column = "subscription_id"


class FailureGroupFilter(StoredValueFilter):
    """Failures that share a cause; some of the groups. All of them have a page of their own."""

    title = _("group")
    parameter_name = "group"
    column = "fingerprint"
    _shown = 20
    _counted = 100

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, Any]]:
        return [
            (group.fingerprint, f"{group.newest.error_type} ({group.shown_count})")
            for group in failure_groups.groups(limit=self._shown, count_to=self._counted)
        ]


class OperationStatusFilter(StoredValueFilter):
    title = _("status")
    parameter_name = "status"
    column = "status"


class ActionFilter(StoredValueFilter):
    title = _("action")
    parameter_name = "action"
    column = "action"
