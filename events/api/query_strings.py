"""Query strings, validated into dataclasses as commands are."""

from __future__ import annotations

from typing import TypeVar

from rest_framework.request import Request
from rest_framework.settings import api_settings

from .serializers import serializer_class

QueryT = TypeVar("QueryT")


def read_query(query_class: type[QueryT], request: Request) -> QueryT:
    """Raises DRF's ValidationError."""
    parameters = request.query_params.copy()
    parameters.pop(api_settings.URL_FORMAT_OVERRIDE, None)  # DRF's, for its renderers
    serializer = serializer_class(query_class)(data=parameters)
    serializer.is_valid(raise_exception=True)
    query: QueryT = serializer.validated_data
    return query
