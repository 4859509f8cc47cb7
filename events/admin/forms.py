"""What an operator says before something is done: to which rows, as they were seen, and why."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ..bus.subscription import Start
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

    def clean_chosen(self) -> list[Choice]:
        chosen = super().clean_chosen()
        if len(chosen) != 1:
            raise forms.ValidationError(_("Edit one event at a time."))
        return chosen

    def clean_event_data(self) -> Any:
        try:
            return json.loads(self.cleaned_data["event_data"])
        except ValueError as error:
            raise forms.ValidationError(
                _("This isn't JSON: %(error)s"), params={"error": error}
            ) from None


class ConfirmedForm(ReasonForm):
    """For what is hard to undo: the operator types what it is done to."""

    confirmed = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, data: Any, *, expected: str, label: Any) -> None:
        super().__init__(data)
        self._expected = expected
        self.fields["confirmed"].label = label

    def clean_confirmed(self) -> str:
        typed = str(self.cleaned_data["confirmed"]).strip()
        if typed != self._expected:
            raise forms.ValidationError(
                _("Type %(expected)s to confirm."), params={"expected": self._expected}
            )
        return typed


class ResetForm(ConfirmedForm):
    to = forms.ChoiceField(
        label=_("Go on from"),
        choices=[
            ("now", _("the end of the log: all before is passed over")),
            ("beginning", _("the beginning: all is handled again")),
            ("position", _("this position:")),
        ],
        widget=forms.RadioSelect,
    )
    position = forms.IntegerField(
        label=_("Position"),
        min_value=1,
        required=False,
        help_text=_("The first event that it gets."),
    )
    field_order = ("to", "position", "reason", "confirmed")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("to") == "position" and not values.get("position"):
            self.add_error("position", _("Say which position."))
        return values

    @property
    def start(self) -> Start | int:
        values = self.cleaned_data
        return values["position"] if values["to"] == "position" else Start(values["to"])


class BulkForm(ConfirmedForm):
    """With the newest of those that were counted."""

    up_to = forms.IntegerField(widget=forms.HiddenInput)
    field_order = ("reason", "confirmed", "up_to")
