from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from events.api.permissions import may_view

from ..models import SagaInstance


class MayReadSagas(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return may_view(request, SagaInstance)
