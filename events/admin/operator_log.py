"""What operators did, newest first."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ..explorer.delivery_details import action_details
from ..explorer.navigation import Entry, add_entry
from ..explorer.presentation import moment_column
from ..models import OperatorAction
from .log import LogAdmin


@admin.register(OperatorAction)
class OperatorActionAdmin(LogAdmin):
    change_form_template = "events/explorer/operator_action.html"
    details = staticmethod(action_details)
    ordering = ("-id",)
    list_display = ("done", "action", "subscription", "actor", "reason")
    list_defer = ("details",)
    fields = ("done", "action", "subscription", "actor", "reason")

    done = moment_column("done_at", _("at"))


add_entry(Entry(label=_("Operator log"), rank=390, model=OperatorAction))
