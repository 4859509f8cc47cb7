"""What a user may see and do in the explorer, by which permission, and who could grant the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, PermissionsMixin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _

MAX_NAMES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One permission."""

    name: str
    #: `events.retry_failedevent`
    codename: str
    is_given: bool
    #: By what the user has it; empty where they haven't.
    through: str
    #: Groups that have it, with which one could be given it.
    groups: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A list of the explorer, and what can be done there."""

    title: str
    capabilities: list[Capability]


def access_details(site: AdminSite, request: HttpRequest) -> dict[str, Any]:
    holders = _groups_by_permission()
    own_groups = _groups_of(request)
    return {
        "areas": [
            Area(
                title=capfirst(str(model._meta.verbose_name_plural)),
                capabilities=[
                    _capability(request, model, codename, name, holders, own_groups)
                    for codename, name in _permissions(model)
                ],
            )
            for model in _models(site)
        ],
        "is_superuser": bool(getattr(request.user, "is_superuser", False)),
        "granters": _granters(),
        "crumbs_only": True,
        "subtitle": request.user.get_username(),
    }


def _models(site: AdminSite) -> list[type[Model]]:
    from ..admin.log import LogAdmin

    found = [model for model, each in site._registry.items() if isinstance(each, LogAdmin)]
    return sorted(found, key=lambda model: (model._meta.app_label, model._meta.model_name or ""))


def _permissions(model: type[Model]) -> Iterator[tuple[str, str]]:
    """Rows are never added, changed or deleted by hand: Django's own permissions for that give
    nothing but the view."""
    options = model._meta
    view = _("Can view %(names)s") % {"names": options.verbose_name_plural}
    yield f"view_{options.model_name}", view
    for codename, name in options.permissions:
        yield codename, str(name)


def _capability(
    request: HttpRequest,
    model: type[Model],
    codename: str,
    name: str,
    holders: dict[str, list[str]],
    own_groups: set[str],
) -> Capability:
    full = f"{model._meta.app_label}.{codename}"
    is_given = request.user.has_perm(full)
    groups = holders.get(full, [])
    through = ""
    if is_given:
        shared = [group for group in groups if group in own_groups]
        if getattr(request.user, "is_superuser", False):
            through = _("superuser")
        elif shared:
            through = _("group %(names)s") % {"names": ", ".join(shared)}
        else:
            through = _("given to you")
    return Capability(
        name=name, codename=full, is_given=is_given, through=through, groups=groups[:MAX_NAMES]
    )


def _groups_by_permission() -> dict[str, list[str]]:
    through = Group.permissions.through._default_manager
    rows = through.order_by("group__name").values_list(
        "permission__content_type__app_label", "permission__codename", "group__name"
    )
    found: dict[str, list[str]] = {}
    for app_label, codename, name in rows:
        found.setdefault(f"{app_label}.{codename}", []).append(name)
    return found


def _groups_of(request: HttpRequest) -> set[str]:
    user = request.user
    if not isinstance(user, PermissionsMixin):
        return set()
    return set(user.groups.values_list("name", flat=True))


def _granters() -> list[str]:
    """Superusers; whoever else may change users, the host knows."""
    user_model = get_user_model()
    if not issubclass(user_model, PermissionsMixin):
        return []
    active = user_model._default_manager.filter(is_superuser=True)
    return [user.get_username() for user in active[:MAX_NAMES] if user.is_active]
