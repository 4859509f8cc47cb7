"""Who and what caused the messages being handled now; every stored event carries it as metadata.

Set by the middleware for a request and by whatever handles a message; read by the store's append.
Lives in a context variable, so threads and coroutines don't see each other's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .exceptions import EncodingError
from .identifiers import new_id
from .json_text import check_plain

UserId: TypeAlias = str | Callable[[], str | None] | None

# Of the columns that hold copies of correlation_id and causation_id.
MAX_MESSAGE_ID_LENGTH = 200


#: The three names with a meaning, and how they are spelt in JSON outside of the database.
CAMEL_CASE_NAMES = {
    "correlation_id": "correlationId",
    "causation_id": "causationId",
    "user_id": "userId",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContext:
    """`correlation_id` names the whole conversation, `causation_id` the message handled now."""

    correlation_id: str | None = None
    causation_id: str | None = None
    #: A function is asked when an event is appended, and not before.
    user_id: UserId = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def metadata(self) -> dict[str, Any]:
        """What an event that is appended now gets. Starts a conversation where there is none.
        Raises EncodingError for what can't be stored."""
        metadata = {
            **self.extra,
            "correlation_id": self.correlation_id or str(new_id()),
            "causation_id": self.causation_id,
            "user_id": self.user_id() if callable(self.user_id) else self.user_id,
        }
        if self is not _NOTHING:
            check_metadata(metadata)
        return metadata


_current: ContextVar[MessageContext | Callable[[], MessageContext]] = ContextVar(
    "events_message_context"
)
_NOTHING = MessageContext()


def current_context() -> MessageContext:
    context = _current.get(_NOTHING)
    return context if isinstance(context, MessageContext) else context()


@contextmanager
def message_context(
    *,
    correlation_id: str | None = None,
    causation_id: str | None = None,
    user_id: UserId = None,
    **extra: Any,
) -> Iterator[MessageContext]:
    """Adds to the surrounding context until the block ends. What isn't given stays as it was."""
    outer = current_context()
    inner = MessageContext(
        correlation_id=outer.correlation_id if correlation_id is None else correlation_id,
        causation_id=outer.causation_id if causation_id is None else causation_id,
        user_id=outer.user_id if user_id is None else user_id,
        extra={**outer.extra, **extra},
    )
    token = _current.set(inner)
    try:
        yield inner
    finally:
        _current.reset(token)


@contextmanager
def successive_contexts() -> Iterator[Callable[[Callable[[], MessageContext]], object]]:
    """For many messages. The yielded function is called with one that makes a context, which takes
    the place of the one before. It is made when somebody asks, which few handlers' code does."""
    token = _current.set(current_context())
    try:
        yield _current.set
    finally:
        _current.reset(token)


def check_metadata(metadata: Mapping[str, Any]) -> None:
    """The three names with a meaning are short strings or None; all other keys are free."""
    check_message_ids(metadata)
    try:
        check_plain(dict(metadata))
    except EncodingError as error:
        raise error.under("metadata") from None


def check_message_ids(metadata: Mapping[str, Any]) -> None:
    """The part of `check_metadata` about the three names."""
    for name, guides_name in CAMEL_CASE_NAMES.items():
        if guides_name in metadata:
            raise EncodingError(f"metadata.{guides_name}", f"is written {name} here")
        value = metadata.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise EncodingError(f"metadata.{name}", f"expected str, got {type(value).__name__}")
        if len(value) > MAX_MESSAGE_ID_LENGTH:
            raise EncodingError(
                f"metadata.{name}", f"is longer than {MAX_MESSAGE_ID_LENGTH} characters"
            )


def merged_metadata(context: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """An event's own metadata wins, key by key, but for a correlation that it leaves empty."""
    if not own:
        return context
    merged = {**context, **own}
    merged["correlation_id"] = own.get("correlation_id") or context["correlation_id"]
    check_metadata(merged)
    return merged
