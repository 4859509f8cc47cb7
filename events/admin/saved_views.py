"""Saving and deleting searches of the list of events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..exceptions import InvalidInput
from ..explorer.links import list_url
from ..explorer.saved_views import (
    delete_view,
    find_view,
    may_delete,
    may_save,
    may_share,
    save_view,
)
from ..models import Event
from .pages import ExplorerPage

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


class SavedViewForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    is_shared = forms.BooleanField(label=gettext_lazy("For everybody"), required=False)
    query = forms.CharField(widget=forms.HiddenInput, required=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveViewPage(ExplorerPage):
    def is_permitted(self, model_admin: ModelAdmin[Any], request: HttpRequest) -> bool:
        return model_admin.has_view_permission(request) and may_save(request)

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
                view = save_view(
                    request,
                    name=form.cleaned_data["name"],
                    query=form.cleaned_data["query"],
                    is_shared=form.cleaned_data.get("is_shared", False),
                )
            except InvalidInput as error:
                form.add_error("name", error.reason)
            else:
                url = list_url(model_admin.admin_site, Event)
                return HttpResponseRedirect(f"{url}?{view.query}" if view.query else url)
        return self.render(
            model_admin, request, {"form": form, "query": request.POST.get("query", "")}
        )


def _form(request: HttpRequest, data: Any, initial: dict[str, str] | None = None) -> forms.Form:
    form = SavedViewForm(data, initial=initial)
    if not may_share(request):
        del form.fields["is_shared"]
    return form


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteViewPage(ExplorerPage):
    """Answers the button beside a saved view."""

    def context(self, *args: Any, **arguments: Any) -> dict[str, Any]:
        raise PermissionDenied  # it is never shown

    def respond(
        self, model_admin: ModelAdmin[Any], request: HttpRequest, **arguments: Any
    ) -> HttpResponseBase:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        view = find_view(arguments["key"])
        if view is None:
            raise Http404
        if not may_delete(request, view):
            raise PermissionDenied
        delete_view(request, view)
        messages.success(request, _("The view “%(name)s” is deleted.") % {"name": view.name})
        return HttpResponseRedirect(list_url(model_admin.admin_site, Event))


SAVE_VIEW = SaveViewPage(
    name="save_view",
    route="views/save/",
    title=gettext_lazy("Save this view"),
    template="events/explorer/save_view.html",
)
DELETE_VIEW = DeleteViewPage(
    name="delete_view", route="views/<int:key>/delete/", title="", template=""
)
