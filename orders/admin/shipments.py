"""Shipments."""

from __future__ import annotations

from django.contrib import admin

from ..aggregates.shipment import Shipment
from ..models import ShipmentState, ShipmentSummary
from .base import OrderPartAdmin, StateFilter


class ShipmentStateFilter(StateFilter):
    states = ShipmentState


@admin.register(ShipmentSummary)
class ShipmentSummaryAdmin(OrderPartAdmin):
    categories = (Shipment.aggregate_type,)
    list_filter = (ShipmentStateFilter,)
    list_display = fields = (
        "order_id",
        "state",
        "tracking_number",
        "reason",
        "arranged_at",
        "cancelled_at",
        "events",
    )
