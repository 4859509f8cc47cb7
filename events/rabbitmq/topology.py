"""What has to be there at the broker, as one value that is declared again on each connection.

Pure: nothing here talks to a broker but through the channel that it is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from enum import Enum
from typing import Any, Protocol, TypeVar

from ..exceptions import InvalidInput

#: Of AMQP's short strings, which names and routing keys are.
MAX_NAME_BYTES = 255


class ExchangeKind(Enum):
    TOPIC = "topic"
    DIRECT = "direct"
    FANOUT = "fanout"


class QueueKind(Enum):
    #: Replicated and always durable; what RabbitMQ recommends for anything that must not be lost.
    QUORUM = "quorum"
    CLASSIC = "classic"


class Channel(Protocol):
    """Of py-amqp, as far as it is needed here."""

    def exchange_declare(self, **arguments: Any) -> Any: ...
    def queue_declare(self, **arguments: Any) -> Any: ...
    def queue_bind(self, **arguments: Any) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A durable one."""

    name: str
    kind: ExchangeKind = ExchangeKind.TOPIC
    #: Gets what no queue is bound for.
    alternate: str | None = None

    def __post_init__(self) -> None:
        _check_name("exchange", self.name)
        if not isinstance(self.kind, ExchangeKind):
            raise InvalidInput("kind", f"expected an ExchangeKind, got {self.kind!r:.60}")

    @property
    def arguments(self) -> dict[str, Any]:
        return {"alternate-exchange": self.alternate} if self.alternate else {}

    def declare(self, channel: Channel) -> None:
        channel.exchange_declare(
            exchange=self.name,
            type=self.kind.value,
            durable=True,
            auto_delete=False,
            arguments=self.arguments,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A durable one. What can be changed later without deleting the queue (a maximal length, a
    limit of deliveries) is better set by a policy at the broker than here."""

    name: str
    kind: QueueKind = QueueKind.QUORUM
    #: Where rejected and expired messages go. "" is the default exchange: to the queue that the
    #: routing key names.
    dead_letter_exchange: str | None = None
    #: None: that of the message.
    dead_letter_routing_key: str | None = None
    message_ttl_seconds: float | None = None
    #: Beyond it publishers get a refusal, and publish again: nothing is dropped.
    max_length: int | None = None
    #: Beyond the maximal length the oldest messages make room instead.
    drops_oldest: bool = False
    #: Returns to the queue before a message is a dead letter.
    delivery_limit: int | None = None
    #: One consumer at a time gets messages; another one when it is gone.
    single_active_consumer: bool = False

    def __post_init__(self) -> None:
        _check_name("queue", self.name)
        if not isinstance(self.kind, QueueKind):
            raise InvalidInput("kind", f"expected a QueueKind, got {self.kind!r:.60}")
        _check_number("message_ttl_seconds", self.message_ttl_seconds, 0.001, int | float)
        _check_number("max_length", self.max_length, 1, int)
        _check_number("delivery_limit", self.delivery_limit, 1, int)
        if type(self.single_active_consumer) is not bool:
            raise InvalidInput("single_active_consumer", "expected a bool")
        if self.dead_letter_routing_key is not None and self.dead_letter_exchange is None:
            raise InvalidInput(
                "dead_letter_routing_key", "does nothing without a dead_letter_exchange"
            )
        if self.drops_oldest and self.max_length is None:
            raise InvalidInput("drops_oldest", "does nothing without a max_length")
        if self.drops_oldest and self.dead_letter_exchange is not None:
            raise InvalidInput("drops_oldest", "would make dead letters of messages that none is")
        if self.delivery_limit is not None and self.kind is not QueueKind.QUORUM:
            raise InvalidInput("delivery_limit", "is for quorum queues")

    @property
    def arguments(self) -> dict[str, Any]:
        """By the names that the broker knows. It keeps others, too, and ignores them in silence."""
        given: dict[str, Any] = {
            "x-queue-type": self.kind.value,
            "x-dead-letter-exchange": self.dead_letter_exchange,
            "x-dead-letter-routing-key": self.dead_letter_routing_key,
            "x-max-length": self.max_length,
            "x-delivery-limit": self.delivery_limit,
            "x-single-active-consumer": self.single_active_consumer or None,
        }
        if self.message_ttl_seconds is not None:
            given["x-message-ttl"] = milliseconds(self.message_ttl_seconds)
        is_quorum = self.kind is QueueKind.QUORUM
        if self.drops_oldest:
            given["x-overflow"] = "drop-head"
        elif self.max_length is not None or (is_quorum and self.dead_letter_exchange is not None):
            given["x-overflow"] = "reject-publish"
        if is_quorum and self.dead_letter_exchange is not None:
            # The message stays until the target has confirmed it; it needs reject-publish.
            given["x-dead-letter-strategy"] = "at-least-once"
        return {name: value for name, value in given.items() if value is not None}

    def declare(self, channel: Channel) -> None:
        channel.queue_declare(
            queue=self.name,
            durable=True,
            exclusive=False,
            auto_delete=False,
            arguments=self.arguments,
        )


@dataclass(frozen=True, slots=True)
class Binding:
    queue: str
    exchange: str
    key: str

    def __post_init__(self) -> None:
        check_routing_key(self.key)

    def declare(self, channel: Channel) -> None:
        channel.queue_bind(queue=self.queue, exchange=self.exchange, routing_key=self.key)


@dataclass(slots=True)
class Topology:
    """Exchanges before queues before bindings."""

    exchanges: dict[str, Exchange] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)
    bindings: dict[Binding, None] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Exchange | Queue | Binding]:
        yield from self.exchanges.values()
        yield from self.queues.values()
        yield from self.bindings

    def add(self, *parts: Exchange | Queue | Binding) -> None:
        """Raises InvalidInput where a name is taken by a part that is otherwise."""
        for part in parts:
            if isinstance(part, Binding):
                self.bindings[part] = None
                continue
            known: dict[str, Any] = self.exchanges if isinstance(part, Exchange) else self.queues
            if known.setdefault(part.name, part) != part:
                raise InvalidInput(
                    part.name, f"is declared as {known[part.name]} and again as {part}"
                )

    def merge(self, other: Topology) -> None:
        self.add(*other)


OptionsT = TypeVar("OptionsT", Exchange, Queue)


def options_of(kind: type[OptionsT], name: str, options: Mapping[str, Any]) -> OptionsT:
    """An Exchange or a Queue. Raises InvalidInput for an option that it doesn't have."""
    known = [each.name for each in fields(kind) if each.name != "name"]
    for option in options:
        if option not in known:
            close = get_close_matches(snake_case(option), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
            raise InvalidInput(option, f"is no option of a {kind.__name__.lower()}: {hint}")
    return kind(name=name, **options)


def milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def check_routing_key(key: str) -> None:
    if len(key.encode(errors="replace")) > MAX_NAME_BYTES:
        raise InvalidInput("routing_key", f"{key!r:.80} is longer than {MAX_NAME_BYTES} bytes")


def snake_case(name: str) -> str:
    """As a name that was written in camelCase would be written here."""
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name)


def _check_name(what: str, name: object) -> None:
    if not isinstance(name, str) or not name or len(name.encode()) > MAX_NAME_BYTES:
        raise InvalidInput(what, f"{name!r:.80} can't be a name: 1 to {MAX_NAME_BYTES} bytes")
    if name.startswith("amq."):
        raise InvalidInput(what, f"{name!r}: names that begin with 'amq.' are the broker's own")


def _check_number(name: str, value: Any, least: float, kind: Any) -> None:
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, kind) or value < least
    ):
        raise InvalidInput(name, f"expected a number of at least {least:g}, got {value!r:.60}")
