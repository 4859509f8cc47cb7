"""Users in the admin: what events made of them, to be read; whose log-in is whose, to be set."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from events.admin.button import EventsButton
from events.exceptions import InvalidInput
from events.explorer.conditions import Condition, SearchError
from events.explorer.keyset import KeysetAdmin, ReadOnlyAdmin
from events.explorer.links import events_link
from events.store.configured import event_store
from events.streams import StreamName

from . import email_addresses
from .aggregate import User
from .models import EmailClaim, LinkedLogin, RegisteredUser


class _WithEvents(KeysetAdmin):
    @admin.display(description=_("events"))
    def events(self, row: Any) -> str:
        return events_link(self.admin_site, _("show"), stream=str(_stream(row.user_id)))


@admin.register(RegisteredUser)
class RegisteredUserAdmin(EventsButton, ReadOnlyAdmin, _WithEvents):
    events_category = User.aggregate_type
    ordering = ("-user_id",)  # rises with the time of registration
    list_display = (
        "email",
        "name",
        "is_active",
        "registration_date",
        "last_login_date",
        "events",
    )
    fields = (
        "user_id",
        "email",
        "name",
        "is_active",
        "registration_date",
        "last_login_date",
        "deactivation_date",
        "events",
    )
    search_fields = ("email",)
    search_help_text = _("A whole e-mail address or a user id.")

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        return [_user_id_or_email(term)] if term.strip() else []


@admin.register(EmailClaim)
class EmailClaimAdmin(ReadOnlyAdmin, _WithEvents):
    ordering = ("email",)
    list_display = fields = ("email", "user_id", "events")
    search_fields = ("email",)
    search_help_text = _("A whole e-mail address.")

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        return [Condition(values={"email": _email(term)})] if term.strip() else []


class LinkedLoginForm(forms.ModelForm):
    def clean_user_id(self) -> UUID:
        user_id: UUID = self.cleaned_data["user_id"]
        if event_store().stream_version(_stream(user_id)) < 0:
            raise forms.ValidationError(_("No user with this id was ever registered."))
        return user_id


@admin.register(LinkedLogin)
class LinkedLoginAdmin(_WithEvents):
    form = LinkedLoginForm
    ordering = ("account_id",)
    list_display = ("account", "user_id", "events")
    list_select_related = ("account",)
    raw_id_fields = ("account",)
    search_fields = ("user_id",)
    search_help_text = _("A user id.")

    def get_readonly_fields(
        self, request: HttpRequest, obj: LinkedLogin | None = None
    ) -> tuple[str, ...]:
        return ("account",) if obj else ()

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        return [Condition(values={"user_id": _user_id(term)})] if term.strip() else []


def _stream(user_id: UUID) -> StreamName:
    return StreamName(User.aggregate_type, user_id)


def _user_id_or_email(term: str) -> Condition:
    is_email = "@" in term
    return Condition(values={"email": _email(term)} if is_email else {"user_id": _user_id(term)})


def _email(term: str) -> str:
    try:
        return email_addresses.normalised(term)
    except InvalidInput as error:
        raise SearchError(error.reason) from error


def _user_id(term: str) -> UUID:
    try:
        return UUID(term.strip())
    except ValueError:
        raise SearchError(_("%(value)s isn't a user id.") % {"value": term}) from None
