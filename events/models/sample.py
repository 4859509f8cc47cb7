"""How far behind subscriptions were, now and then: what a trend is drawn from."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class LagSample(models.Model):
    """All subscriptions at one moment. One row for each `SAMPLE_SECONDS`, whoever writes it."""

    #: Number of the interval, since the epoch.
    interval = models.BigIntegerField(primary_key=True)
    taken_at = models.DateTimeField(_("taken at"))
    #: Up to where the log was final.
    head = models.BigIntegerField(_("head"))
    #: By name: {"lag", "seconds", "position", "handled"}; None for what wasn't known.
    subscriptions = models.JSONField(default=dict)

    class Meta:
        db_table = "events_lag_samples"
        verbose_name = _("lag sample")
        verbose_name_plural = _("lag samples")

    def __str__(self) -> str:
        return f"{self.taken_at:%Y-%m-%d %H:%M:%S}"
