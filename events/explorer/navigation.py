"""The bar above each page of the explorer: where else one can go, as far as the user may.

Entries are registered when the admin is loaded; hosts add theirs in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin import site as default_site
from django.contrib.admin.sites import all_sites
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from .permissions import may_view


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`url_name` is in the admin's namespace; without one it is the list of the model.

    `rank` says where it stands: the log from 100 on, sagas from 200, operations from 300.
    """

    label: Any
    rank: int
    model: type[Model] | None = None
    url_name: str | None = None
    #: May this user go there? Without one: whoever may view the model.
    permits: Callable[[HttpRequest], bool] | None = None

    def is_permitted(self, site: AdminSite, request: HttpRequest) -> bool:
        if self.permits is not None:
            return self.permits(request)
        return self.model is not None and may_view(site, request, self.model)

    def url(self, site: AdminSite) -> str:
        name = self.url_name
        if name is None:
            assert self.model is not None, "an entry leads to a page or to a model's list"
            options = self.model._meta
            name = f"{options.app_label}_{options.model_name}_changelist"
        return reverse(f"admin:{name}", current_app=site.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationLink:
    label: Any
    url: str
    is_current: bool


_entries: list[Entry] = []


def add_entry(entry: Entry) -> Entry:
    """A second one of the same rank and label replaces the first: modules may be loaded again."""
    _entries[:] = [
        known for known in _entries if (known.rank, known.label) != (entry.rank, entry.label)
    ]
    _entries.append(entry)
    _entries.sort(key=lambda each: each.rank)
    return entry


def entries() -> list[Entry]:
    """All of them, as they stand in the bar."""
    return list(_entries)


def site_of(request: HttpRequest) -> AdminSite:
    """The one that answers this request; a project may have several."""
    name = getattr(request, "current_app", None)
    return next((site for site in all_sites if site.name == name), default_site)


def navigation(request: HttpRequest) -> list[NavigationLink]:
    """Empty on pages that aren't the explorer's."""
    site = site_of(request)
    links = []
    for entry in _entries:
        if not entry.is_permitted(site, request):
            continue
        try:
            links.append((entry.label, entry.url(site)))
        except NoReverseMatch:  # registered on another site
            continue
    current = _current([url for _, url in links], request.path)
    return (
        [NavigationLink(label=label, url=url, is_current=url == current) for label, url in links]
        if current
        else []
    )


def _current(urls: list[str], path: str) -> str | None:
    """The longest one that the path begins with: pages of rows are below those of lists."""
    return max((url for url in urls if path.startswith(url)), key=len, default=None)
