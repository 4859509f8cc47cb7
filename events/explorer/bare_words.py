"""A word in the search box without a qualifier: to where it occurs, so that one can just paste."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from ..personal import personal_names
from .conditions import SearchError
from .disclosure import may_reveal, types_that_hide
from .json_fields import JsonField, indexed_fields
from .paging import AFTER, BEFORE
from .queries import places_of
from .search import BARE, parse, to_text


def redirect_to_place(request: HttpRequest) -> HttpResponseRedirect | None:
    """To the same list with the qualifier put in; None where there is nothing to locate.

    What the word also names is offered in a message.
    """
    try:
        terms = parse(request.GET.get(SEARCH_VAR, "").replace("\0", ""))
    except SearchError:
        return None
    word = terms.pop(BARE, None)
    if word is None:
        return None
    urls = [
        (_url(request, {**terms, qualifier: value}), f"{qualifier}: {value}")
        for qualifier, value in places_of(word, _searchable(request))
        if qualifier not in terms
    ]
    if not urls:
        return None
    if urls[1:]:
        links = format_html_join(", ", '<a href="{}">{}</a>', urls[1:])
        messages.info(request, format_html(_("The same word is found elsewhere: {}"), links))
    return HttpResponseRedirect(urls[0][0])


def _searchable(request: HttpRequest) -> dict[JsonField, list[str]]:
    """Fields of JSON that an index finds, and that this user may search for; and the event types
    whose data they may not search."""
    fields = [field for name in indexed_fields() if (field := JsonField.parse(name))]
    if may_reveal(request):
        return {field: [] for field in fields}
    return {
        field: types_that_hide(field) for field in fields if not personal_names() & set(field.path)
    }


def _url(request: HttpRequest, terms: dict[str, str]) -> str:
    parameters = request.GET.copy()
    for name in (AFTER, BEFORE):
        parameters.pop(name, None)
    parameters[SEARCH_VAR] = to_text(terms)
    return f"{request.path}?{parameters.urlencode()}"
