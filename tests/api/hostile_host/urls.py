"""The API under a namespace of the host's choice, and the classes that the settings name."""

from __future__ import annotations

from typing import Any, NoReturn

from django.urls import include, path
from rest_framework.metadata import BaseMetadata
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.throttling import BaseThrottle


class Nobody(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return False


class Never(BaseThrottle):
    def allow_request(self, request: Any, view: Any) -> bool:
        return False


class NoNegotiation(BaseContentNegotiation):
    pass


class NoMetadata(BaseMetadata):
    pass


def fail(*args: Any) -> NoReturn:
    raise AssertionError("the host's own function was called")


urlpatterns = [
    path("api/", include(("events.api.urls", "inner"), namespace="outer")),
]
