"""Pages of the explorer besides a model's list and its rows: what they have in common.

A page belongs to a `LogAdmin`, which lists it in `pages`; its address is below that of the list.
`events/explorer/base.html` is the template to extend.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from ..explorer.permissions import has_permission

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


MAX_DIGITS = 100

#: Gives a page's context. Raises Http404 for what there is not.
Details: TypeAlias = Callable[..., dict[str, Any]]


def check_parameters(request: HttpRequest) -> None:
    """What no page asks for, and PostgreSQL or Python refuse to take. Raises Http404."""
    for name, values in request.GET.lists():
        for value in values:
            if "\0" in value or (value.isdecimal() and len(value) > MAX_DIGITS):
                raise Http404(f"{name}: no page takes this value.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorerPage(ABC):
    """One that is read. `name` is the end of its URL's name: `admin:events_event_<name>`."""

    name: str
    route: str
    title: Any
    template: str
    #: Codename of what it needs besides leave to view the model.
    permission: str | None = None

    @abstractmethod
    def context(
        self, model_admin: ModelAdmin[Any], request: HttpRequest, **arguments: Any
    ) -> dict[str, Any]:
        """Raises Http404 for what there is not, PermissionDenied for what isn't for this user.
        May override `title`, and set `crumbs`: (label, address) on the way to the page."""

    def pattern(self, model_admin: ModelAdmin[Any]) -> URLPattern:
        view = model_admin.admin_site.admin_view(self._view(model_admin))
        return path(self.route, view, name=self.url_name(model_admin))

    def url_name(self, model_admin: ModelAdmin[Any]) -> str:
        options = model_admin.opts
        return f"{options.app_label}_{options.model_name}_{self.name}"

    def url(self, model_admin: ModelAdmin[Any], **arguments: Any) -> str:
        name, site = f"admin:{self.url_name(model_admin)}", model_admin.admin_site.name
        return reverse(name, kwargs=arguments, current_app=site)

    def is_permitted(self, model_admin: ModelAdmin[Any], request: HttpRequest) -> bool:
        return model_admin.has_view_permission(request) and (
            self.permission is None or has_permission(request, model_admin.model, self.permission)
        )

    def respond(
        self, model_admin: ModelAdmin[Any], request: HttpRequest, **arguments: Any
    ) -> HttpResponseBase:
        """To a user who may see it."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self.render(model_admin, request, self.context(model_admin, request, **arguments))

    def render(
        self, model_admin: ModelAdmin[Any], request: HttpRequest, context: dict[str, Any]
    ) -> TemplateResponse:
        return TemplateResponse(
            request,
            self.template,
            {
                **model_admin.admin_site.each_context(request),
                "title": self.title,
                "opts": model_admin.opts,
                "media": model_admin.media,
                **context,
            },
        )

    def _view(self, model_admin: ModelAdmin[Any]) -> Callable[..., HttpResponseBase]:
        def view(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            request.current_app = model_admin.admin_site.name
            if not self.is_permitted(model_admin, request):
                raise PermissionDenied
            check_parameters(request)
            return self.respond(model_admin, request, **arguments)

        return view


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailsPage(ExplorerPage):
    """All of whose context comes from a function of `explorer`: of the site, the request and the
    arguments of the route."""

    details: Details

    def context(
        self, model_admin: ModelAdmin[Any], request: HttpRequest, **arguments: Any
    ) -> dict[str, Any]:
        return self.details(model_admin.admin_site, request, **arguments)
