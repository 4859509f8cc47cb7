"""What an operator says before something is done to a saga."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from events.admin.forms import ReasonForm


class SagaForm(ReasonForm):
    """With the version of the saga that the operator has seen."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class EvidenceForm(SagaForm):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["reason"].label = _("Evidence")
        self.fields["reason"].help_text = _(
            "How you know that it is so. Kept in the operator log and in the saga's history."
        )


class LearnedForm(EvidenceForm):
    """For a step that learns something from its answer."""

    learned = forms.CharField(
        label=_("What its answer would have told"),
        widget=forms.Textarea(attrs={"rows": 6, "cols": 60, "spellcheck": "false"}),
    )
    field_order = ("learned", "reason", "version")

    def clean_learned(self) -> dict[str, Any]:
        try:
            learned = json.loads(self.cleaned_data["learned"])
        except ValueError as error:
            raise forms.ValidationError(
                _("This isn't JSON: %(error)s"), params={"error": error}
            ) from None
        if not isinstance(learned, dict):
            raise forms.ValidationError(_("Expected a JSON object, {…}."))
        return learned
