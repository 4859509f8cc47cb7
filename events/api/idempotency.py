"""The `Idempotency-Key` header: the id of a command, chosen by its sender.

As in draft-ietf-httpapi-idempotency-key-header; the record of the answer is `command_records`'.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import QueryDict

from ..codec import JsonObject
from ..exceptions import InvalidInput
from .parsers import plain

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"

# A structured-field string, so in quotes; many clients send it bare.
_KEY = re.compile(r'("?)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\1', re.IGNORECASE)


def idempotency_key(headers: Mapping[str, str]) -> UUID | None:
    """Raises InvalidInput, with the header as its field."""
    text = headers.get(HEADER)
    if text is None:
        return None
    match = _KEY.fullmatch(text)
    if match is None:
        raise InvalidInput(HEADER, "expected a UUID such as 8e03978e-40d5-43dd-bc93-6894a57f9324")
    return UUID(match[2])


def as_sent(body: Any) -> JsonObject:
    """What a repetition is known by: the command that it becomes may hold an id or a moment that
    is made up anew each time."""
    if not isinstance(body, QueryDict):
        return {name: plain(value) for name, value in body.items()}
    # A page has a token of its own each time that it is loaded.
    return {name: values for name, values in body.lists() if name != "csrfmiddlewaretoken"}
