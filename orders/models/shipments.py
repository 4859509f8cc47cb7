"""Read model: parcels, written by `projections.shipments` alone."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .states import ShipmentState


class ShipmentSummary(models.Model):
    """One row an order that was to be sent."""

    order_id = models.UUIDField(_("order id"), primary_key=True)
    state = models.CharField(_("state"), max_length=10, choices=ShipmentState)
    #: Also of a parcel that was called back.
    tracking_number = models.CharField(_("tracking number"), max_length=200, blank=True)
    #: Of a failure.
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    arranged_at = models.DateTimeField(_("arranged"), null=True)
    cancelled_at = models.DateTimeField(_("called back"), null=True)

    class Meta:
        verbose_name = _("shipment")
        verbose_name_plural = _("shipments")
        indexes = [models.Index(fields=["state", "order_id"], name="shipment_by_state")]

    def __str__(self) -> str:
        return str(self.order_id)
