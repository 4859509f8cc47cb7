"""Where an order stands, and each part of it. A part that nobody has asked for yet is empty."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class OrderState(TextChoices):
    """Empty is not placed: a part of it was undone, or heard of, before."""

    PLACED = "placed", _("placed")
    RESERVED = "reserved", _("reserved")
    PAID = "paid", _("paid")
    SHIPPED = "shipped", _("shipped")
    DELIVERED = "delivered", _("delivered")
    COMPLETED = "completed", _("completed")
    CANCELLED = "cancelled", _("cancelled")


class ReservationState(TextChoices):
    RESERVED = "reserved", _("reserved")
    FAILED = "failed", _("failed")
    RELEASED = "released", _("released")
    PREVENTED = "prevented", _("released before it was asked for")


class PaymentState(TextChoices):
    PAID = "paid", _("paid")
    FAILED = "failed", _("failed")
    REFUNDED = "refunded", _("refunded")
    PREVENTED = "prevented", _("refunded before it was asked for")


class ShipmentState(TextChoices):
    ARRANGED = "arranged", _("arranged")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("called back")
    PREVENTED = "prevented", _("called back before it was asked for")
