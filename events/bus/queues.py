"""Which queue of a message broker a subscription is fed from."""

from __future__ import annotations

from dataclasses import dataclass

from ..exceptions import InvalidInput

#: Of a quorum queue.
MAX_PREFETCH = 2000
#: Leaves room for what further names append to it, within AMQP's 255 bytes.
MAX_QUEUE_NAME_BYTES = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOptions:
    """A durable queue of its own, bound by the subscription's patterns."""

    name: str
    #: Messages that a consumer has in hand before it has acknowledged any. For slow handlers few,
    #: because others can't have them meanwhile.
    prefetch: int = 100
    #: Events of a stream are handled in its order: they are taken to the database as they come,
    #: and handled like those of the log. Otherwise, each for itself, by any number of consumers.
    ordered: bool = False
    #: Messages that nobody has taken by then are dead letters. None: they wait.
    message_ttl_seconds: float | None = None
    #: Where the events come from, unless it is the exchange of the settings.
    exchange: str | None = None

    def __post_init__(self) -> None:
        name = self.name
        if not isinstance(name, str) or not 0 < len(name.encode()) <= MAX_QUEUE_NAME_BYTES:
            raise InvalidInput(
                "queue.name", f"{name!r:.80} can't name a queue: 1 to {MAX_QUEUE_NAME_BYTES} bytes"
            )
        if type(self.prefetch) is not int or not 1 <= self.prefetch <= MAX_PREFETCH:
            raise InvalidInput("queue.prefetch", f"expected an int from 1 to {MAX_PREFETCH}")
        if type(self.ordered) is not bool:
            raise InvalidInput("queue.ordered", f"expected a bool, got {self.ordered!r:.60}")
        ttl = self.message_ttl_seconds
        if ttl is not None and (
            isinstance(ttl, bool) or not isinstance(ttl, int | float) or not 0.001 <= ttl <= 4e6
        ):
            raise InvalidInput("queue.message_ttl_seconds", f"can't be {ttl!r:.60}")
