"""What the data set says about orders that are placed again: the simulated world acts on it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fates import Fate


class PlacedOrder(models.Model):
    order_id = models.UUIDField(_("order id"), primary_key=True)
    #: Of its purchase in the data set, `2017-11`.
    month = models.CharField(_("month"), max_length=7)
    status = models.CharField(_("status"), max_length=20)
    fate = models.CharField(_("fate"), max_length=20, choices=Fate)
    #: The sum of its payments, which needn't be what it costs.
    charged = models.DecimalField(_("charged"), max_digits=15, decimal_places=3)

    class Meta:
        verbose_name = _("order of Olist")
        verbose_name_plural = _("orders of Olist")
        indexes = [models.Index(fields=["month", "order_id"], name="olist_month")]

    def __str__(self) -> str:
        return str(self.order_id)
