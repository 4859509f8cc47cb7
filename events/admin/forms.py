"""What an operator says before something is done: to which rows, as they were seen, and why."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ..delivery.dead_letters import Choice


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Kept in the operator log."),
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )


class ChoiceForm(ReasonForm):
    """With the rows that were chosen, as `id.version,id.version`."""

    chosen = forms.CharField(widget=forms.HiddenInput)

    def clean_chosen(self) -> list[Choice]:
        try:
            pairs = [pair.split(".") for pair in self.cleaned_data["chosen"].split(",")]
            return [Choice(int(number), version) for number, version in pairs]
        except ValueError:
            raise forms.ValidationError(_("These aren't rows of the list.")) from None


def chosen_as_text(chosen: list[Choice]) -> str:
    return ",".join(f"{choice.id}.{choice.version}" for choice in chosen)


class EditForm(ChoiceForm):
    event_data = forms.CharField(
        label=_("Data"),
        help_text=_("JSON with all fields, of the current version of the event type."),
        widget=forms.Textarea(attrs={"rows": 16, "cols": 80, "spellcheck": "false"}),
    )
    field_order = ("event_data", "reason", "chosen")

    def clean_event_data(self) -> Any:
        try:
            return json.loads(self.cleaned_data["event_data"])
        except ValueError as error:
            raise forms.ValidationError(
                _("This isn't JSON: %(error)s"), params={"error": error}
            ) from None
