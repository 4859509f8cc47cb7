"""Payments."""

from __future__ import annotations

from django.contrib import admin

from ..aggregates.payment import Payment
from ..models import PaymentState, PaymentSummary
from .base import OrderPartAdmin, StateFilter


class PaymentStateFilter(StateFilter):
    states = PaymentState


@admin.register(PaymentSummary)
class PaymentSummaryAdmin(OrderPartAdmin):
    categories = (Payment.aggregate_type,)
    list_filter = (PaymentStateFilter,)
    list_display = fields = (
        "order_id",
        "state",
        "amount",
        "currency",
        "payment_method",
        "reference",
        "reason",
        "charged_at",
        "refunded_at",
        "events",
    )
