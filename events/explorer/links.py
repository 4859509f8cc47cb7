"""Addresses of the explorer's pages, and links to them for the cells of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from ..models import AggregateVersion, Event
from .presentation import shortened
from .search import to_text


def object_url(site: AdminSite, model: type[Model], key: Any) -> str:
    return _url(site, model, "change", quote(str(key)))


def events_url(site: AdminSite, **terms: str) -> str:
    """The events that a search finds: `events_url(site, stream="User-1")`."""
    query = urlencode({SEARCH_VAR: to_text(terms)})
    return f"{_url(site, Event, 'changelist')}?{query}"


def list_url(site: AdminSite, model: type[Model], **filters: str) -> str:
    url = _url(site, model, "changelist")
    return f"{url}?{urlencode(filters)}" if filters else url


def page_url(
    site: AdminSite,
    model: type[Model],
    name: str,
    *,
    arguments: Mapping[str, Any] | None = None,
    **parameters: str,
) -> str:
    """Of an `ExplorerPage` below the list of the model."""
    options = model._meta
    full_name = f"admin:{options.app_label}_{options.model_name}_{name}"
    url = reverse(full_name, kwargs=dict(arguments or {}), current_app=site.name)
    return f"{url}?{urlencode(parameters)}" if parameters else url


def state_url(site: AdminSite, stream_key: int, **parameters: int) -> str:
    """Of the stream's aggregate: `version`, compared with the version `against`."""
    given = {name: str(version) for name, version in parameters.items()}
    return page_url(site, AggregateVersion, "state", arguments={"key": stream_key}, **given)


def events_link(site: AdminSite, text: object = None, **terms: str) -> SafeString:
    """The search as a title; without a text, the value that is searched for, shortened."""
    url, title = events_url(site, **terms), to_text(terms)
    shown = shortened(", ".join(terms.values())) if text is None else text
    return format_html('<a href="{}" title="{}">{}</a>', url, title, shown)


def _url(site: AdminSite, model: type[Model], view: str, *arguments: str) -> str:
    options = model._meta
    name = f"admin:{options.app_label}_{options.model_name}_{view}"
    return reverse(name, args=arguments, current_app=site.name)
