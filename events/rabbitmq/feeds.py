"""A queue and its dead letters, as one consumer is fed from them: a channel each, and what has come
over it and isn't done with."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import Any

import amqp

from ..exceptions import BrokerUnavailable
from .connection import Link, broker_errors
from .messages import IncomingMessage

logger = logging.getLogger(__name__)

#: RabbitMQ cuts off a consumer that keeps a message for 30 minutes. What a slow handler didn't come
#: to in half of that is given back before.
KEEP_SECONDS = 900.0


@dataclass(slots=True)
class Feed:
    """The messages of one queue, in the order of their delivery."""

    queue: str
    prefetch: int
    #: Yields how many of the first ones are done with.
    handle: Callable[[Sequence[IncomingMessage]], Iterable[int]]
    batch_size: int
    _link: Link | None = None
    _channel: amqp.Channel | None = None
    _messages: deque[IncomingMessage] = field(default_factory=deque)
    _oldest_at: float = 0.0
    _is_cancelled: bool = False

    @property
    def is_open(self) -> bool:
        return self._channel is not None and bool(self._channel.is_open) and not self._is_cancelled

    @property
    def is_empty(self) -> bool:
        return not self._messages

    def open(self, link: Link) -> None:
        """Raises BrokerUnavailable."""
        self.close()
        with link.lock, broker_errors():
            channel = link.new_channel()
            channel.auto_decode = False
            channel.basic_qos(prefetch_size=0, prefetch_count=self.prefetch, a_global=False)
            self._link, self._channel, self._is_cancelled = link, channel, False
            channel.basic_consume(self.queue, callback=self._on_message, on_cancel=self._on_cancel)

    def close(self) -> None:
        """What isn't acknowledged goes back to the queue."""
        if self._link is None or self._channel is None:
            return
        with self._link.lock:
            channel, self._channel = self._channel, None
            if channel.is_open:
                with suppress(BrokerUnavailable), broker_errors():
                    channel.close()
            self._messages.clear()

    def work(self) -> bool:
        """Has the next ones handled, and acknowledges them. Whether there were any.

        Raises what the handler's Handling or Receiving lets through."""
        batch = list(islice(self._messages, self.batch_size))
        if not batch:
            return False
        for count in self.handle(batch):
            self._acknowledge(count)
        if self._messages and monotonic() - self._oldest_at > KEEP_SECONDS:
            self._give_back()
        return True

    def _acknowledge(self, count: int) -> None:
        if self._link is None or self._channel is None:
            raise BrokerUnavailable(f"the channel of {self.queue} is closed")
        last = [self._messages.popleft() for _ in range(count)][-1]
        with self._link.lock, broker_errors():
            # All up to this one: they came in this order, and are done with in this order.
            self._channel.basic_ack(last.tag, multiple=True)

    def _give_back(self) -> None:
        logger.warning("%s: %d messages are given back", self.queue, len(self._messages))
        self.prefetch = max(1, self.prefetch // 2)
        self.close()

    def _on_message(self, message: Any) -> None:
        if not self._messages:
            self._oldest_at = monotonic()
        info = message.delivery_info
        self._messages.append(
            IncomingMessage(
                body=bytes(message.body),
                properties=message.properties,
                exchange=info["exchange"],
                routing_key=info["routing_key"],
                is_redelivered=bool(info["redelivered"]),
                tag=message.delivery_tag,
            )
        )

    def _on_cancel(self, consumer_tag: str) -> None:
        """The queue was deleted, or has lost its node. Messages may be in hand at this moment."""
        logger.error("%s has ended the delivery to its consumer", self.queue)
        self._is_cancelled = True
