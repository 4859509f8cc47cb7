"""What all views of the API have in common."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from .authentication import configured_authenticators
from .metadata import CommandMetadata
from .parsers import StrictJSONParser
from .permissions import MayReadEvents
from .problems import problem_response
from .renderers import JSONRenderer


class EventsAPIView(APIView):
    """Says everything itself that a host's `REST_FRAMEWORK` would otherwise decide."""

    name = ""
    description = ""
    renderer_classes = [JSONRenderer, BrowsableAPIRenderer]
    parser_classes: list[Any] = [StrictJSONParser]
    authentication_classes = []  # see get_authenticators
    permission_classes: list[Any] = [MayReadEvents]
    throttle_classes = []
    content_negotiation_class = DefaultContentNegotiation
    metadata_class = CommandMetadata
    versioning_class = None

    def get_authenticators(self) -> list[BaseAuthentication]:
        return configured_authenticators()

    def get_authenticate_header(self, request: Request) -> str:
        """The first challenge of any of them, so that a session in front of the others doesn't
        turn 401 into 403."""
        challenges = (each.authenticate_header(request) for each in self.get_authenticators())
        return next(filter(None, challenges), "")

    def get_exception_handler(self) -> Any:
        return problem_response

    def get_view_name(self) -> str:
        return self.name

    def get_view_description(self, html: bool = False) -> str:
        return self.description
