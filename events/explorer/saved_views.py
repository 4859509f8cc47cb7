"""Searches of the list of events that keep a name. Whoever saved one may delete it; shared ones are
for everybody who may see events, and for those to delete who may share."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from ..conf import events_settings
from ..delivery.operator_log import write_down
from ..exceptions import InvalidInput
from ..models import SavedView
from .paging import AFTER, BEFORE
from .permissions import has_permission
from .queries import in_log_database

MAX_SHOWN = 50


def views_for(request: HttpRequest) -> list[SavedView]:
    """Their own, then those of all, each by name."""
    own = _views().filter(owner=_owner(request)).order_by("name")[:MAX_SHOWN]
    shared = _views().filter(is_shared=True).order_by("name")[:MAX_SHOWN]
    found = list(own)
    return [*found, *(view for view in shared if view.owner != _owner(request))]


def may_save(request: HttpRequest) -> bool:
    return has_permission(request, SavedView, "add_savedview")


def may_share(request: HttpRequest) -> bool:
    return has_permission(request, SavedView, "share_savedview")


def may_delete(request: HttpRequest, view: SavedView) -> bool:
    if view.owner == _owner(request):
        return has_permission(request, SavedView, "delete_savedview")
    return view.is_shared and may_share(request)


def save_view(request: HttpRequest, *, name: str, query: str, is_shared: bool) -> SavedView:
    """Raises InvalidInput where the user has one of this name."""
    name = name.strip()
    if not name or len(name) > 100 or not name.isprintable():
        raise InvalidInput("name", _("must be 1 to 100 printable characters"))
    try:
        with transaction.atomic(using=events_settings().database):
            view = _views().create(
                name=name,
                owner=_owner(request),
                owner_name=request.user.get_username(),
                query=_without_place(query),
                is_shared=is_shared and may_share(request),
            )
            _write_down(request, "save_view", view)
    except IntegrityError:
        raise InvalidInput("name", _("you have a view of this name already")) from None
    return view


def delete_view(request: HttpRequest, view: SavedView) -> None:
    """The caller has checked `may_delete`."""
    with transaction.atomic(using=events_settings().database):
        _write_down(request, "delete_view", view)
        view.delete()


def find_view(key: int) -> SavedView | None:
    return _views().filter(pk=key).first()


def _write_down(request: HttpRequest, action: str, view: SavedView) -> None:
    write_down(
        action,
        "",
        actor=request.user.get_username(),
        reason="",
        details={"name": view.name, "query": view.query, "is_shared": view.is_shared},
    )


def _without_place(query: str) -> str:
    parameters = QueryDict(query, mutable=True)
    for name in (AFTER, BEFORE, "p", "e"):
        parameters.pop(name, None)
    return parameters.urlencode()


def _views() -> QuerySet[SavedView]:
    return in_log_database(SavedView.objects.all())


def _owner(request: HttpRequest) -> str:
    return str(request.user.pk)
