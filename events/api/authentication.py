"""Who calls, and whether a browser could have been tricked into the call."""

from __future__ import annotations

from django.utils.http import parse_header_parameters
from django.utils.module_loading import import_string
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from ..conf import events_settings
from .parsers import StrictJSONParser


def configured_authenticators() -> list[BaseAuthentication]:
    return [import_string(path)() for path in events_settings().api_authentication_classes]


def refuse_forgeable(request: Request) -> None:
    """Browsers send forms, and requests without a body, from any site and with the credentials
    that they keep for HTTP Basic. Only the session comes with a CSRF token."""
    media_type, _ = parse_header_parameters(request.content_type or "")
    by_session = isinstance(request.successful_authenticator, SessionAuthentication)
    if media_type != StrictJSONParser.media_type and not by_session:
        raise UnsupportedMediaType(media_type or "none")
