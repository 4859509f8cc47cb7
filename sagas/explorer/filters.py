"""The filters of the list of sagas."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from events.explorer.conditions import Condition
from events.explorer.filters import StoredValueFilter

from ..clock import database_time
from ..state import Status
from .stuck import Stuck


class StatusFilter(StoredValueFilter):
    title = _("status")
    parameter_name = "status"
    column = "status"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, Any]]:
        return [(status.value, status.value.replace("_", " ")) for status in Status]


class TypeFilter(StoredValueFilter):
    title = _("saga")
    parameter_name = "type"
    column = "saga_type"


class StuckFilter(StoredValueFilter):
    title = _("stuck")
    parameter_name = "stuck"
    column = "status"
    _quiet_for = {"10m": timedelta(minutes=10), "1h": timedelta(hours=1), "1d": timedelta(days=1)}

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, Any]]:
        return [
            ("10m", _("for a person, or quiet for 10 minutes")),
            ("1h", _("for a person, or quiet for an hour")),
            ("1d", _("for a person, or quiet for a day")),
        ]

    def condition(self) -> Condition | None:
        value = self.value()
        if value is None:
            return None
        if value not in self._quiet_for:
            raise IncorrectLookupParameters(f"{self.parameter_name}: {value!r}")
        return Stuck(values={}, quiet_since=database_time() - self._quiet_for[value])
