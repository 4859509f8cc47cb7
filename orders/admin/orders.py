"""Orders and their lines."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from events.admin.button import EventsButton
from events.explorer.conditions import Condition

from ..aggregates.order import Order
from ..aggregates.payment import Payment
from ..aggregates.reservation import Reservation
from ..aggregates.shipment import Shipment
from ..models import OrderState, OrderSummary, OrderSummaryLine
from .base import StateFilter, SummaryAdmin, uuid_of


class OrderStateFilter(StateFilter):
    states = OrderState


class OrderLines(admin.TabularInline):
    model = OrderSummaryLine
    fields = ("number", "product_id", "quantity", "unit_price", "currency")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # whoever sees the order


@admin.register(OrderSummary)
class OrderSummaryAdmin(EventsButton, SummaryAdmin):
    events_category = Order.aggregate_type
    categories = tuple(each.aggregate_type for each in (Order, Reservation, Payment, Shipment))
    ordering = ("-order_id",)
    list_filter = (OrderStateFilter,)
    list_display = (
        "order_id",
        "state",
        "total_amount",
        "currency",
        "placed_at",
        "reservation",
        "payment",
        "shipment",
        "failed_step",
    )
    fields = (
        "order_id",
        "state",
        "customer_id",
        ("total_amount", "currency"),
        "placed_at",
        "completed_at",
        "cancelled_at",
        "reason",
        "failed_step",
        "failure",
        "reservation",
        "payment",
        "shipment",
        "events",
    )
    inlines = (OrderLines,)
    search_fields = ("order_id",)
    search_help_text = _("An order id, or the id of a customer.")

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        if not term.strip():
            return []
        key = uuid_of(term)
        is_order = OrderSummary.objects.filter(pk=key).exists()
        return [Condition(values={"order_id" if is_order else "customer_id": key})]
