"""The books of the simulated foreign systems, to be read."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from events.explorer.conditions import Condition
from events.explorer.keyset import KeysetAdmin, ReadOnlyAdmin

from ..models import PaymentLedgerEntry, ShipmentLedgerEntry


class _LedgerAdmin(ReadOnlyAdmin, KeysetAdmin):
    ordering = ("-id",)
    search_fields = ("effect_key",)
    search_help_text = _("A whole effect key, such as charge:<order id>.")

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        return [Condition(values={"effect_key": term.strip()})] if term.strip() else []


@admin.register(PaymentLedgerEntry)
class PaymentLedgerEntryAdmin(_LedgerAdmin):
    list_display = fields = (
        "effect_key",
        "undone_key",
        "outcome",
        "amount",
        "currency",
        "payment_method",
        "attempts",
        "created_at",
    )


@admin.register(ShipmentLedgerEntry)
class ShipmentLedgerEntryAdmin(_LedgerAdmin):
    list_display = fields = (
        "effect_key",
        "undone_key",
        "outcome",
        "destination",
        "attempts",
        "created_at",
    )
