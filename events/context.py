"""Who and what caused the messages being handled now; every stored event carries it as metadata.

Set by the middleware for a request and by whatever handles a message; read by the store's append.
Lives in a context variable, so threads and coroutines don't see each other's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from .exceptions import EncodingError
from .identifiers import new_id

# Of the columns that hold copies of correlation_id and causation_id.
MAX_MESSAGE_ID_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContext:
    """`correlation_id` names the whole conversation, `causation_id` the message handled now."""

    correlation_id: str | None = None
    causation_id: str | None = None
    user_id: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def metadata(self) -> dict[str, Any]:
        """What an event that is appended now gets. Starts a conversation where there is none."""
        return {
            **self.extra,
            "correlation_id": self.correlation_id or str(new_id()),
            "causation_id": self.causation_id,
            "user_id": self.user_id,
        }


_current: ContextVar[MessageContext] = ContextVar("events_message_context")
_NOTHING = MessageContext()


def current_context() -> MessageContext:
    return _current.get(_NOTHING)


@contextmanager
def message_context(
    *,
    correlation_id: str | None = None,
    causation_id: str | None = None,
    user_id: str | None = None,
    **extra: Any,
) -> Iterator[MessageContext]:
    """Adds to the surrounding context until the block ends. What isn't given stays as it was."""
    given = {"correlation_id": correlation_id, "causation_id": causation_id, "user_id": user_id}
    outer = current_context()
    inner = replace(
        outer,
        **{name: value for name, value in given.items() if value is not None},
        extra={**outer.extra, **extra},
    )
    token = _current.set(inner)
    try:
        yield inner
    finally:
        _current.reset(token)


def check_metadata(metadata: Mapping[str, Any]) -> None:
    """The three names with a meaning are short strings or None; all other keys are free."""
    for name in ("correlation_id", "causation_id", "user_id"):
        value = metadata.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise EncodingError(f"metadata.{name}", f"expected str, got {type(value).__name__}")
        if len(value) > MAX_MESSAGE_ID_LENGTH:
            raise EncodingError(
                f"metadata.{name}", f"is longer than {MAX_MESSAGE_ID_LENGTH} characters"
            )
