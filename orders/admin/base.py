"""What the pages of the read models have in common."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, TextChoices
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from events.explorer.conditions import Condition, SearchError
from events.explorer.filters import StoredValueFilter
from events.explorer.keyset import KeysetAdmin, ReadOnlyAdmin
from events.explorer.links import events_link
from events.streams import StreamName


class StateFilter(StoredValueFilter):
    title = gettext_lazy("state")
    parameter_name = column = "state"
    states: type[TextChoices]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.states.choices)


class SummaryAdmin(ReadOnlyAdmin, KeysetAdmin):
    """`categories` are those of the streams that a row is made of; its key is their id."""

    categories: tuple[str, ...]

    @admin.display(description=gettext_lazy("events"))
    def events(self, row: Model) -> SafeString:
        streams = (StreamName(category, row.pk) for category in self.categories)
        links = (
            (events_link(self.admin_site, stream.aggregate_type, stream=str(stream)),)
            for stream in streams
        )
        return format_html_join(" ", "{}", links)


class OrderPartAdmin(SummaryAdmin):
    """Of a part that each order has one of."""

    ordering = ("-order_id",)
    search_fields = ("order_id",)
    search_help_text = gettext_lazy("An order id.")

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        return [Condition(values={"order_id": uuid_of(term)})] if term.strip() else []


def uuid_of(term: str) -> UUID:
    """Raises SearchError."""
    try:
        return UUID(term.strip())
    except ValueError:
        raise SearchError(_("%(value)s isn't an id.") % {"value": term}) from None
