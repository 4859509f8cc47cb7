"""The page that asks in which form, and why, before the events of a search are exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..delivery.operator_log import write_down
from ..explorer.conditions import SearchError
from ..explorer.disclosure import may_reveal
from ..explorer.event_list import range_of_query
from ..explorer.exporting import CONTENT_TYPES, exported
from ..store.configured import event_store
from ..transfer.exporting import FileFormat
from .forms import ReasonForm
from .pages import ExplorerPage

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


class ExportForm(ReasonForm):
    file_format = forms.ChoiceField(
        label=_("Format"),
        choices=[(FileFormat.JSONL.value, "NDJSON"), (FileFormat.CSV.value, "CSV")],
    )
    with_personal = forms.BooleanField(label=_("With personal data"), required=False)
    query = forms.CharField(widget=forms.HiddenInput, required=False)
    field_order = ("file_format", "with_personal", "reason", "query")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPage(ExplorerPage):
    def context(
        self, model_admin: ModelAdmin[Any], request: HttpRequest, **arguments: Any
    ) -> dict[str, Any]:
        query = request.GET.urlencode()
        return {"form": _form(request, None, {"query": query}), "query": query}

    def respond(
        self, model_admin: ModelAdmin[Any], request: HttpRequest, **arguments: Any
    ) -> HttpResponseBase:
        if request.method != "POST":
            return ExplorerPage.respond(self, model_admin, request, **arguments)
        form = _form(request, request.POST)
        if form.is_valid():
            try:
                return _file(request, form.cleaned_data)
            except SearchError as error:
                form.add_error(None, str(error))
        context = {"form": form, "query": request.POST.get("query", "")}
        return self.render(model_admin, request, context)


def _form(request: HttpRequest, data: Any, initial: dict[str, str] | None = None) -> forms.Form:
    form = ExportForm(data, initial=initial)
    if not may_reveal(request):
        del form.fields["with_personal"]
    return form


def _file(request: HttpRequest, wanted: dict[str, Any]) -> StreamingHttpResponse:
    """Raises SearchError before anything is written down."""
    conditions, index_range = range_of_query(request, wanted["query"])
    file_format, up_to = FileFormat(wanted["file_format"]), event_store().high_water_mark()
    with_personal = bool(wanted.get("with_personal"))
    write_down(
        "export",
        "",
        actor=request.user.get_username(),
        reason=wanted["reason"],
        details={
            "query": wanted["query"],
            "format": file_format.value,
            "with_personal": with_personal,
            "up_to": up_to,
        },
    )
    pieces = exported(
        conditions, index_range, file_format, up_to=up_to, with_personal=with_personal
    )
    response = StreamingHttpResponse(pieces, content_type=CONTENT_TYPES[file_format])
    name = f"events-{timezone.now():%Y%m%d-%H%M%S}.{file_format.value}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


EXPORT = ExportPage(
    name="export",
    route="export/",
    title=_("Export events"),
    template="events/explorer/export.html",
    permission="export_event",
)
