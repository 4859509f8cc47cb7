"""What comes behind the question mark of an address, by the fields of a dataclass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from rest_framework.request import Request
from rest_framework.settings import api_settings

from .serializers import serializer_class


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryString:
    @classmethod
    def of(cls, request: Request) -> Self:
        """Raises DRF's ValidationError."""
        parameters = request.query_params.copy()
        parameters.pop(api_settings.URL_FORMAT_OVERRIDE, None)  # DRF's, for its renderers
        serializer = serializer_class(cls)(data=parameters)
        serializer.is_valid(raise_exception=True)
        query: Self = serializer.validated_data
        return query
