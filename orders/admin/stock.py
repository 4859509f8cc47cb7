"""Stock."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from events.explorer.conditions import Condition

from ..aggregates.stock import Stock
from ..models import StockLevel
from .base import SummaryAdmin


@admin.register(StockLevel)
class StockLevelAdmin(SummaryAdmin):
    categories = (Stock.aggregate_type,)
    ordering = ("product_id",)
    list_display = fields = ("product_id", "on_hand", "reserved", "available", "events")
    search_fields = ("product_id",)
    search_help_text = _("A whole product id.")

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        return [Condition(values={"product_id": term.strip()})] if term.strip() else []
