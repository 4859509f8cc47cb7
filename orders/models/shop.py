"""Who may do what in the shop."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Shop(models.Model):
    """Has no rows and no table: the permissions of the shop's commands hang on it."""

    class Meta:
        managed = False
        default_permissions = ()
        verbose_name = verbose_name_plural = _("shop")
        permissions = [
            ("place_order", _("Can place orders")),
            ("cancel_order", _("Can cancel orders")),
            ("complete_order", _("Can complete orders")),
            ("receive_stock", _("Can receive stock")),
            ("reserve_inventory", _("Can reserve inventory")),
            ("release_inventory", _("Can release inventory")),
            ("process_payment", _("Can process payments")),
            ("refund_payment", _("Can refund payments")),
            ("arrange_shipping", _("Can arrange shipping")),
            ("cancel_shipping", _("Can cancel shipping")),
        ]

    def __str__(self) -> str:
        return "shop"
