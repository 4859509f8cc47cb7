"""Read model: what was charged and paid back, written by `projections.payments` alone."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .states import PaymentState


class PaymentSummary(models.Model):
    """One row an order that was to be paid."""

    order_id = models.UUIDField(_("order id"), primary_key=True)
    state = models.CharField(_("state"), max_length=10, choices=PaymentState)
    amount = models.DecimalField(_("amount"), max_digits=15, decimal_places=3, null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    payment_method = models.CharField(_("payment method"), max_length=100, blank=True)
    #: The gateway's.
    reference = models.CharField(_("reference"), max_length=200, blank=True)
    #: Of a failure.
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    charged_at = models.DateTimeField(_("charged"), null=True)
    refunded_at = models.DateTimeField(_("refunded"), null=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        indexes = [models.Index(fields=["state", "order_id"], name="payment_by_state")]

    def __str__(self) -> str:
        return str(self.order_id)
