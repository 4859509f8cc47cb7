"""Read model: how many orders stand where, and their revenue. `projections.orders` writes it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .states import OrderState, PaymentState


class OrderFigures(models.Model):
    """All orders that are alike in these columns. Reports add up some thousand of these rows,
    however many orders there are."""

    #: Of the columns up to `delivery_days`.
    key = models.CharField(_("key"), max_length=200, primary_key=True)
    #: When they were placed, `2017-11`, in UTC.
    month = models.CharField(_("month"), max_length=7)
    currency = models.CharField(_("currency"), max_length=3)
    state = models.CharField(_("state"), max_length=10, choices=OrderState)
    payment = models.CharField(_("payment"), max_length=10, choices=PaymentState, blank=True)
    failed_step = models.CharField(_("failed at"), max_length=100, blank=True)
    #: Whole days from order to delivery, as far as they are told apart; null where it isn't known.
    delivery_days = models.PositiveSmallIntegerField(_("days to delivery"), null=True)
    orders = models.BigIntegerField(_("orders"), default=0)
    amount = models.DecimalField(_("total"), max_digits=15, decimal_places=3, default=0)
    charged = models.DecimalField(_("charged"), max_digits=15, decimal_places=3, default=0)
    refunded = models.DecimalField(_("refunded"), max_digits=15, decimal_places=3, default=0)

    class Meta:
        verbose_name = _("figures of orders")
        verbose_name_plural = _("reports")
        indexes = [models.Index(fields=["currency", "month"], name="order_figures_month")]

    def __str__(self) -> str:
        return self.key
