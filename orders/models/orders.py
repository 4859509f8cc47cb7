"""Read model: orders and what was ordered, written by `projections.orders` alone."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..money import Money
from .states import OrderState, PaymentState, ReservationState, ShipmentState


class OrderSummaries(models.QuerySet["OrderSummary"]):
    def placed(self) -> OrderSummaries:
        """Without those of which only a part is known."""
        return self.exclude(state="")


class OrderSummary(models.Model):
    """One row an order. Its id rises with the time of placing, unless a client has chosen it."""

    order_id = models.UUIDField(_("order id"), primary_key=True)
    #: The most that is true of it: derived from the columns below.
    state = models.CharField(_("state"), max_length=10, choices=OrderState, blank=True)
    customer_id = models.UUIDField(_("customer"), null=True)
    total_amount = models.DecimalField(_("total"), max_digits=15, decimal_places=3, null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    #: Of all that was charged and paid back for it, in its currency.
    charged_amount = models.DecimalField(_("charged"), max_digits=15, decimal_places=3, default=0)
    refunded_amount = models.DecimalField(_("refunded"), max_digits=15, decimal_places=3, default=0)
    placed_at = models.DateTimeField(_("placed"), null=True)
    #: Where the carrier tells.
    delivered_at = models.DateTimeField(_("delivered"), null=True)
    completed_at = models.DateTimeField(_("completed"), null=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    #: Where the process could not go on that saw to the order, and why.
    failed_step = models.CharField(_("failed at"), max_length=100, blank=True)
    failure = models.TextField(_("failure"), blank=True)
    reservation = models.CharField(
        _("reservation"), max_length=10, choices=ReservationState, blank=True
    )
    payment = models.CharField(_("payment"), max_length=10, choices=PaymentState, blank=True)
    shipment = models.CharField(_("shipment"), max_length=10, choices=ShipmentState, blank=True)

    objects = OrderSummaries.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        indexes = [
            models.Index(fields=["state", "order_id"], name="order_by_state"),
            models.Index(fields=["customer_id", "order_id"], name="order_by_customer"),
        ]

    def __str__(self) -> str:
        return str(self.order_id)

    @property
    def total(self) -> Money | None:
        return None if self.total_amount is None else Money(self.total_amount, self.currency)


class OrderSummaryLine(models.Model):
    # Both tables are written by the same projection, which needs nobody to check it.
    order = models.ForeignKey(
        OrderSummary,
        models.CASCADE,
        related_name="lines",
        db_constraint=False,
        db_index=False,
        verbose_name=_("order"),
    )
    number = models.PositiveSmallIntegerField(_("line"))
    product_id = models.CharField(_("product"), max_length=100)
    quantity = models.PositiveIntegerField(_("quantity"))
    unit_price = models.DecimalField(_("unit price"), max_digits=15, decimal_places=3)
    currency = models.CharField(_("currency"), max_length=3)

    class Meta:
        verbose_name = _("line of an order")
        verbose_name_plural = _("lines of orders")
        ordering = ("order", "number")
        constraints = [models.UniqueConstraint(fields=["order", "number"], name="order_line")]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id}"

    @property
    def price(self) -> Money:
        """Of one."""
        return Money(self.unit_price, self.currency)
