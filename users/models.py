"""What is derived from users' events, and what stands beside them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class RegisteredUser(models.Model):
    """Read model: one row a user, written by `projections` alone."""

    user_id = models.UUIDField(_("user id"), primary_key=True)
    email = models.CharField(_("e-mail address"), max_length=254, db_index=True)
    name = models.CharField(_("name"), max_length=150)
    is_active = models.BooleanField(_("active"))
    registration_date = models.DateTimeField(_("registered"))
    last_login_date = models.DateTimeField(_("last log-in"), null=True)
    deactivation_date = models.DateTimeField(_("deactivated"), null=True)

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        permissions = [
            ("register_user", _("Can register users")),
            ("log_in_user", _("Can record log-ins")),
            ("deactivate_user", _("Can deactivate users")),
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class UserProfile(models.Model):
    """How a user appears to others. Made once for each, by `subscribers`, and theirs to change."""

    user_id = models.UUIDField(_("user id"), primary_key=True)
    display_name = models.CharField(_("display name"), max_length=150)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")

    def __str__(self) -> str:
        return self.display_name


class EmailClaim(models.Model):
    """Who owns an e-mail address. Written with the registration, in one transaction."""

    email = models.CharField(_("e-mail address"), max_length=254, primary_key=True)
    user_id = models.UUIDField(_("user id"))

    class Meta:
        verbose_name = _("claim of an e-mail address")
        verbose_name_plural = _("claims of e-mail addresses")

    def __str__(self) -> str:
        return self.email


class LinkedLogin(models.Model):
    """Ties an account of Django's own authentication to an event-sourced user. Who is deactivated
    can't log in."""

    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="linked_login", primary_key=True
    )
    user_id = models.UUIDField(_("user id"), unique=True)

    class Meta:
        verbose_name = _("linked log-in")
        verbose_name_plural = _("linked log-ins")

    def __str__(self) -> str:
        return f"{self.account} is {self.user_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        if RegisteredUser.objects.filter(pk=self.user_id, is_active=False).exists():
            self.account.is_active = False
            self.account.save(update_fields=["is_active"])
