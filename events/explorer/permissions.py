"""Who may see and do what. Permissions are declared on the models, and asked for here."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest


def may_view(site: AdminSite, request: HttpRequest, model: type[Model]) -> bool:
    return site.is_registered(model) and site.get_model_admin(model).has_view_permission(request)


def has_permission(request: HttpRequest, model: type[Model], codename: str) -> bool:
    return request.user.has_perm(f"{model._meta.app_label}.{codename}")
