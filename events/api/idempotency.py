"""The `Idempotency-Key` header: the id of a command, chosen by its sender.

As in draft-ietf-httpapi-idempotency-key-header; the record of the answer is `command_records`'.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4, uuid5

from ..codec import JsonObject
from ..exceptions import InvalidInput
from ..identifiers import new_id
from ..messages import Command

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


def with_repeatable_ids(
    body: JsonObject, command_class: type[Command], command_id: UUID
) -> JsonObject:
    """The body with ids for the fields that would each time get a new one: the same request must
    become the same command, or it would pass for the reuse of its key."""
    derived: dict[str, Any] = {
        field.name: str(uuid5(command_id, field.name))
        for field in dataclasses.fields(command_class)
        if field.default_factory in (new_id, uuid4)
    }
    return {**derived, **body}
