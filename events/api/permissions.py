"""Who may ask for what. Commands are guarded one by one, the log as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import get_permission_codename
from django.db.models import Model
from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from ..exceptions import UnknownCommandType
from ..models import Event, SubscriptionState
from .catalogue import may_send

if TYPE_CHECKING:
    from .views import CommandView


def _is_authenticated(request: Request) -> bool:
    # A host's UNAUTHENTICATED_USER can be None.
    return bool(request.user and request.user.is_authenticated)


class IsAuthenticated(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return _is_authenticated(request)


class MaySendCommand(BasePermission):
    """Anonymous users don't learn which commands there are."""

    def has_permission(self, request: Request, view: CommandView) -> bool:  # type: ignore[override]
        if not _is_authenticated(request):
            return False
        try:
            return may_send(request.user, view.command_class)
        except UnknownCommandType as error:
            # Also asked by DRF's page, to choose its forms: it understands no other exception.
            raise NotFound(str(error)) from error


class MayView(BasePermission):
    """By the permission that the admin asks for."""

    model: type[Model]

    def has_permission(self, request: Request, view: APIView) -> bool:
        return may_view(request, self.model)


def may_view(request: Request, model: type[Model]) -> bool:
    options = model._meta
    permission = f"{options.app_label}.{get_permission_codename('view', options)}"
    return _is_authenticated(request) and request.user.has_perm(permission)


class MayReadEvents(MayView):
    model = Event


class MayMonitor(MayView):
    model = SubscriptionState
