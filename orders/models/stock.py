"""Read model: how much there is of each product, written by `projections.stock` alone."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class StockLevel(models.Model):
    """One row a product. What is reserved is still on hand."""

    product_id = models.CharField(_("product"), max_length=100, primary_key=True)
    on_hand = models.BigIntegerField(_("on hand"), default=0)
    reserved = models.BigIntegerField(_("reserved"), default=0)
    available = models.BigIntegerField(_("available"), default=0)

    class Meta:
        verbose_name = _("stock of a product")
        verbose_name_plural = _("stock")

    def __str__(self) -> str:
        return self.product_id
