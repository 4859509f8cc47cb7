"""Publishes messages in batches, and returns when the broker has confirmed all of them.

"Published" means nothing before that: a nack, a return, silence and a lost connection all leave it
open what became of a message, and the only answer to that is to publish it again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from time import monotonic
from typing import Any

import amqp
from amqp.exceptions import PreconditionFailed

from ..exceptions import BrokerUnavailable, MessageRefused
from .conf import RabbitMQSettings
from .connection import Link, broker_errors
from .messages import OutgoingMessage
from .topology import Topology

logger = logging.getLogger(__name__)


class Publisher:
    """Connects when it is used, and again when it has to. Can be shared by threads, one of which
    publishes at a time, and is used safely behind a fork."""

    def __init__(
        self,
        settings: RabbitMQSettings,
        topology: Topology,
        *,
        purpose: str,
        has_size_limit: bool = True,
    ) -> None:
        """What comes from the broker is sent back without a limit to its size: it has taken it."""
        self._settings = settings
        self._has_size_limit = has_size_limit
        self._link = Link(settings, topology, purpose=purpose, has_pulse=False)
        self._batch: _Batch | None = None
        self._lock = threading.Lock()

    def publish(self, messages: Sequence[OutgoingMessage]) -> None:
        """In their order. All are confirmed on return.

        Raises BrokerUnavailable when this isn't known of some of them, MessageRefused when one of
        them can't be taken, TopologyMismatch. Publish all of them again then.
        """
        for message in messages:
            self._check_size(message)
        with self._lock:
            was_open = self._link.is_open
            try:
                self._publish(messages)
            except BrokerUnavailable:
                self._close()
                # A connection that nobody has read from may have been dead for hours.
                if not was_open:
                    raise
                self._publish(messages)

    def close(self) -> None:
        with self._lock:
            self._close()

    def _publish(self, messages: Sequence[OutgoingMessage]) -> None:
        try:
            batch = self._open_batch()
            with broker_errors():
                batch.publish(messages, self._settings.confirm_timeout_seconds)
        except BaseException:
            self._close()
            raise

    def _open_batch(self) -> _Batch:
        if self._batch is None or not self._link.is_open:
            self._link.connect()
            self._batch = _Batch(self._link.new_channel())
        return self._batch

    def _check_size(self, message: OutgoingMessage) -> None:
        size, most = len(message.body), self._settings.max_message_bytes
        if self._has_size_limit and size > most:
            raise MessageRefused(message.message_id, f"it has {size:,} bytes, of at most {most:,}")

    def _close(self) -> None:
        self._batch = None
        self._link.close()


class _Batch:
    """A channel in confirm mode, and which messages on it are open. The broker numbers messages as
    they come, and confirms them one by one or all up to a number."""

    def __init__(self, channel: amqp.Channel) -> None:
        self._channel = channel
        with broker_errors():
            channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        channel.events["basic_return"].add(self._on_return)
        self._last_tag = 0
        self._open: dict[int, str] = {}
        self._refusal: Exception | None = None

    def publish(self, messages: Sequence[OutgoingMessage], timeout_seconds: float) -> None:
        try:
            self._send(messages)
            self._wait(monotonic() + timeout_seconds)
        except PreconditionFailed as error:
            # As for a message larger than the broker's limit. Which one it was isn't said; those
            # behind it may be on their way yet.
            message_id = next(iter(self._open.values()), "")
            raise MessageRefused(message_id, str(error.reply_text)) from error
        if self._refusal is not None:
            raise self._refusal

    def _send(self, messages: Sequence[OutgoingMessage]) -> None:
        publish, Message = self._channel.basic_publish, amqp.Message
        for message in messages:
            self._last_tag += 1
            self._open[self._last_tag] = message.message_id
            publish(
                Message(message.body, **message.properties),
                exchange=message.exchange,
                routing_key=message.routing_key,
                mandatory=message.mandatory,
            )

    def _wait(self, deadline: float) -> None:
        connection = self._channel.connection
        while self._open and self._refusal is None:
            remaining = deadline - monotonic()
            if remaining <= 0:
                raise BrokerUnavailable(f"{len(self._open)} messages are not confirmed in time")
            connection.drain_events(timeout=remaining)

    def _on_ack(self, tag: int, multiple: bool) -> None:
        if not multiple:
            self._open.pop(tag, None)
            return
        for each in [each for each in self._open if each <= tag]:
            del self._open[each]

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._refusal = BrokerUnavailable(
            "the broker could not take a message: a queue is full, or out of order"
        )

    def _on_return(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        where = f"{exchange!r}, key {routing_key!r}"
        self._refusal = BrokerUnavailable(f"no queue gets what is published to {where}")
