"""The books of the simulated gateway and carrier."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class LedgerEntry(models.Model):
    """One effect of a foreign system, as that system's own books have it. Written outside of the
    transactions of the shop, so it shows what really happened."""

    class Outcome(models.TextChoices):
        """Empty is open: asked, but nothing has happened yet."""

        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        UNDONE = "undone", _("done, and undone later")
        PREVENTED = "prevented", _("undone before it was asked for")
        NOTHING_TO_UNDO = "nothing", _("nothing to undo")

    effect_key = models.CharField(_("effect key"), max_length=100, unique=True)
    #: Of the effect that this one undoes.
    undone_key = models.CharField(_("undoes"), max_length=100, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True)
    attempts = models.PositiveIntegerField(_("times asked for"), default=0)
    created_at = models.DateTimeField(_("first asked for"), auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.effect_key}: {self.outcome or 'open'}"


class PaymentLedgerEntry(LedgerEntry):
    """A charge, or a refund; the amount of a refund is that of the charge."""

    amount = models.DecimalField(_("amount"), max_digits=15, decimal_places=3, null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    payment_method = models.CharField(_("payment method"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("entry of the payment ledger")
        verbose_name_plural = _("payment ledger")


class ShipmentLedgerEntry(LedgerEntry):
    """A parcel, or the calling back of one."""

    destination = models.TextField(_("destination"), blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("entry of the shipment ledger")
        verbose_name_plural = _("shipment ledger")
