"""The message context of an HTTP request: who asks, and which conversation it belongs to."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from .conf import events_settings
from .context import MAX_MESSAGE_ID_LENGTH, message_context
from .identifiers import new_id

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

_ACCEPTED = re.compile(rf"[\x21-\x7e]{{1,{MAX_MESSAGE_ID_LENGTH}}}")


class MessageContextMiddleware:
    """Takes the correlation id of the request's header, or makes one, and sends it back.

    Belongs after AuthenticationMiddleware. An id that isn't short printable ASCII is replaced.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        header = events_settings().correlation_header
        given = request.headers.get(header, "")
        correlation_id = given if _ACCEPTED.fullmatch(given) else str(new_id())

        def user_id() -> str | None:
            # Asked by an append only: looking at the user reads the session, and makes the answer
            # vary by cookie.
            user = getattr(request, "user", None)
            return str(user.pk) if user is not None and user.is_authenticated else None

        with message_context(correlation_id=correlation_id, user_id=user_id):
            response = self.get_response(request)
        response[header] = correlation_id
        return response
