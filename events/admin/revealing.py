"""The address to which the notice about personal data is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..exceptions import InvalidInput
from ..explorer.disclosure import conceal, may_reveal, reveal
from ..explorer.links import list_url
from ..models import Event
from .pages import ExplorerPage

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealPage(ExplorerPage):
    """Reveals or conceals, and goes back to the page that was asked about."""

    def is_permitted(self, model_admin: ModelAdmin[Any], request: HttpRequest) -> bool:
        return may_reveal(request)

    def context(self, *args: Any, **arguments: Any) -> dict[str, Any]:
        raise PermissionDenied  # it is never shown

    def respond(
        self, model_admin: ModelAdmin[Any], request: HttpRequest, **arguments: Any
    ) -> HttpResponseBase:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        stream = request.POST.get("stream", "")
        if request.POST.get("conceal"):
            conceal(request, stream)
        else:
            try:
                reveal(request, stream, request.POST.get("reason", ""))
            except InvalidInput:
                messages.error(request, _("Say why you need to see it: the operator log keeps it."))
        return HttpResponseRedirect(_way_back(model_admin, request))


def _way_back(model_admin: ModelAdmin[Any], request: HttpRequest) -> str:
    url = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if safe else list_url(model_admin.admin_site, Event)


REVEAL = RevealPage(
    name="reveal", route="reveal/", title=gettext_lazy("Personal data"), template=""
)
