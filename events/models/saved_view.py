"""Searches that somebody gave a name to, for themselves or for everybody."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SavedView(models.Model):
    """Of the list of events. The owner is no foreign key: the log may be in another database than
    the accounts."""

    name = models.CharField(_("name"), max_length=100)
    #: Primary key of the user, as text.
    owner = models.CharField(_("owner"), max_length=255)
    owner_name = models.CharField(_("by"), max_length=200)
    #: Of the list's address, without the place in it.
    query = models.TextField(_("query"), blank=True)
    is_shared = models.BooleanField(_("for everybody"), default=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        db_table = "events_saved_views"
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        permissions = [("share_savedview", _("Can save views for everybody"))]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="events_saved_views_name")
        ]
        indexes = [
            models.Index(
                fields=["name"],
                condition=models.Q(is_shared=True),
                name="events_saved_views_shared",
            )
        ]

    def __str__(self) -> str:
        return self.name
