"""Looks whether the broker is as the code needs it: what is declared against what is there, and
whether messages come out where they should, by sending some.

It changes nothing that is there. Its own parts, `<exchange>.canary...`, are removed in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from time import monotonic, sleep
from typing import Any

import amqp
from amqp.exceptions import NotFound

from ..bus.subscription import Subscription
from ..exceptions import BrokerUnavailable, TopologyMismatch
from ..identifiers import new_id
from .conf import RabbitMQSettings
from .connection import Link, broker_errors, declare
from .layout import (
    dead_letter_exchange,
    dead_letter_queue,
    dead_letter_topology,
    event_topology,
    retry_exchange,
    retry_topology,
    subscription_topology,
)
from .management import Management
from .messages import PERSISTENT, OutgoingMessage
from .publishing import Publisher
from .topology import Binding, Exchange, Queue, Topology

CANARY_SECONDS = 10.0
#: So long at most it is waited for a message to return from its delay.
MAX_DELAY_SECONDS = 10.0
OLDEST = (3, 10)
#: Of RabbitMQ 4, unless a policy says otherwise.
DELIVERY_LIMIT = 20

#: Of policies, what they can do to messages that nobody would expect from the code.
_DANGEROUS = {
    "message-ttl": "messages that nobody has taken by then become dead letters",
    "max-length": "more messages than that are dropped or refused",
    "max-length-bytes": "more bytes than that are dropped or refused",
    "expires": "the queue is deleted, with its messages, when nobody uses it for so long",
    "delivery-limit": "messages become dead letters after so many returns to the queue",
    "overflow": "what happens beyond the maximal length is decided here",
}


class Severity(Enum):
    FINE = "fine"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    severity: Severity
    subject: str
    text: str


def examine(settings: RabbitMQSettings, subscriptions: Sequence[Subscription]) -> Iterator[Finding]:
    """One after the other, as they are found. Raises BrokerUnavailable without a broker."""
    link = Link(settings, Topology(), purpose="doctor")
    link.connect()
    try:
        doctor = _Doctor(settings, subscriptions, link)
        for part in (doctor.version, doctor.parts, doctor.queues, doctor.canaries):
            yield from part()
    finally:
        link.close()


class _Doctor:
    def __init__(
        self, settings: RabbitMQSettings, subscriptions: Sequence[Subscription], link: Link
    ) -> None:
        self.settings, self.subscriptions, self.link = settings, subscriptions, link
        properties: Mapping[str, Any] = link.connection.server_properties
        self.version_text = str(properties.get("version", "?"))
        self.topology = event_topology(settings.exchange)
        for subscription in subscriptions:
            self.topology.merge(subscription_topology(settings.exchange, subscription))
        self.management: Management | None = None
        if settings.management_url:
            virtual_host = link.connection.virtual_host
            self.management = Management(settings.management_url, virtual_host)

    # --- version ---

    def version(self) -> Iterator[Finding]:
        subject = f"RabbitMQ {self.version_text}"
        numbers = [int(each) for each in self.version_text.split(".")[:2] if each.isdecimal()]
        version = tuple(numbers)
        if version < OLDEST:
            yield Finding(
                Severity.ERROR, subject, "older than 3.10: quorum queues have no TTL, nor retries"
            )
        elif version < (3, 13):
            yield Finding(
                Severity.WARNING,
                subject,
                "works, but gets no more fixes from upstream. It counts returns of a message "
                "without a limit; 4.0 and later make a dead letter of it after 20",
            )
        else:
            yield Finding(Severity.FINE, subject, "is known to work")
        if version >= (4, 0):
            attempts = max((each.retry.attempts for each in self.subscriptions), default=0)
            text = f"20 by default. A message that kills its consumer is given up after {attempts}"
            is_enough = attempts < DELIVERY_LIMIT
            severity = Severity.FINE if is_enough else Severity.WARNING
            yield Finding(severity, "delivery limit", text)
        yield from self._feature_flags()

    def _feature_flags(self) -> Iterator[Finding]:
        if self.management is None:
            yield Finding(
                Severity.WARNING,
                "management API",
                "management_url isn't set: policies and feature flags can't be seen",
            )
            return
        flags = self.management.feature_flags()
        for name in ("quorum_queue", "stream_queue"):
            if flags.get(name, "enabled") != "enabled":
                yield Finding(
                    Severity.ERROR,
                    f"feature flag {name}",
                    f"is {flags[name]}: dead letters and retries can be lost on their way between "
                    f"queues. Run rabbitmqctl enable_feature_flag {name}",
                )

    # --- what is declared against what is there ---

    def parts(self) -> Iterator[Finding]:
        for part in self.topology:
            if isinstance(part, Binding):
                continue
            subject = f"{type(part).__name__.lower()} {part.name}"
            if not self._is_there(part):
                yield Finding(
                    Severity.WARNING, subject, "isn't there yet: whoever uses it first declares it"
                )
                continue
            try:
                declare(self.link.connection, (part,))
            except TopologyMismatch as error:
                yield Finding(Severity.ERROR, subject, f"is otherwise: {error.difference}")
            else:
                yield Finding(Severity.FINE, subject, "is as declared")

    def _is_there(self, part: Exchange | Queue) -> bool:
        with broker_errors():
            channel = self.link.connection.channel()
            try:
                if isinstance(part, Exchange):
                    channel.exchange_declare(part.name, part.kind.value, passive=True)
                else:
                    channel.queue_declare(part.name, passive=True)
            except NotFound:
                return False
            channel.close()
        return True

    def queues(self) -> Iterator[Finding]:
        if self.management is None:
            return
        for name in self.topology.queues:
            found = self.management.queue(name)
            if found is None:
                continue
            yield from _policies(name, found)
            if found.get("state") is None:
                yield Finding(
                    Severity.WARNING,
                    f"queue {name}",
                    "says nothing of itself: it is some seconds old, or it has no leader and "
                    "confirms nothing",
                )
        for subscription in self.subscriptions:
            assert subscription.queue is not None
            found = self.management.queue(subscription.queue.name)
            if found is not None and not found.get("consumers"):
                count = found.get("messages", 0)
                yield Finding(
                    Severity.WARNING,
                    f"queue {subscription.queue.name}",
                    f"has no consumer, and {count} messages: run manage.py consume_rabbitmq",
                )

    # --- messages that are sent to see where they come out ---

    def canaries(self) -> Iterator[Finding]:
        with self._canary_parts() as channel:
            yield self._seen(
                "a rejected message", "arrives in its dead-letter queue", channel, self._reject
            )
            yield self._seen(
                "a message that no queue is bound for",
                "arrives in the alternate exchange",
                channel,
                self._publish_unroutable,
            )
            for subscription in self.subscriptions:
                delay = subscription.retry.first_delay_seconds
                is_ordered = subscription.queue is not None and subscription.queue.ordered
                if is_ordered or delay > MAX_DELAY_SECONDS or subscription.retry.attempts < 2:
                    continue
                yield self._seen(
                    f"a message that waits for {delay:g} s",
                    f"returns to its queue, as a retry of {subscription} has to",
                    channel,
                    partial(self._wait_for_retry, delay),
                )

    @property
    def _canary(self) -> str:
        return f"{self.settings.exchange}.canary"

    @contextmanager
    def _canary_parts(self) -> Iterator[amqp.Channel]:
        exchange, topology = self.settings.exchange, event_topology(self.settings.exchange)
        for subscription in self.subscriptions:
            topology.merge(retry_topology(exchange, subscription.retry))
        dlx, dlq = dead_letter_exchange(exchange), dead_letter_queue(self._canary)
        topology.merge(dead_letter_topology(exchange, self._canary))
        topology.add(
            Exchange(name=self._canary, alternate=f"{exchange}.unrouted"),
            Queue(
                name=self._canary, dead_letter_exchange=dlx, dead_letter_routing_key=self._canary
            ),
            Queue(name=f"{self._canary}.unrouted"),
            Binding(f"{self._canary}.unrouted", f"{exchange}.unrouted", ""),
        )
        with broker_errors():
            try:
                for part in topology:
                    with suppress(TopologyMismatch):  # told already
                        declare(self.link.connection, (part,))
                yield self.link.connection.channel()
            finally:
                channel = self.link.connection.channel()
                for queue in (self._canary, f"{self._canary}.unrouted", dlq):
                    channel.queue_delete(queue)
                channel.exchange_delete(self._canary)

    def _seen(
        self,
        what: str,
        where: str,
        channel: amqp.Channel,
        send: Callable[[amqp.Channel], str | None],
    ) -> Finding:
        try:
            missed = send(channel)
        except BrokerUnavailable as error:
            missed = str(error)
        if missed is None:
            return Finding(Severity.FINE, what, where)
        return Finding(Severity.ERROR, what, f"doesn't: {where}: {missed}")

    def _reject(self, channel: amqp.Channel) -> str | None:
        message_id = self._send("", self._canary)
        message = _fetch(channel, self._canary, message_id)
        if message is None:
            return f"it never came to {self._canary}"
        channel.basic_reject(message.delivery_tag, requeue=False)
        dlq = dead_letter_queue(self._canary)
        return None if _fetch(channel, dlq, message_id) else f"nothing came to {dlq}"

    def _publish_unroutable(self, channel: amqp.Channel) -> str | None:
        message_id = self._send(self._canary, "nobody.listens")
        unrouted = f"{self._canary}.unrouted"
        return None if _fetch(channel, unrouted, message_id) else f"nothing came to {unrouted}"

    def _wait_for_retry(self, delay: float, channel: amqp.Channel) -> str | None:
        name = retry_exchange(self.settings.exchange, delay)
        message_id = self._send(name, self._canary)
        found = _fetch(channel, self._canary, message_id, CANARY_SECONDS + delay)
        return None if found else f"nothing came back from {name}"

    def _send(self, exchange: str, key: str) -> str:
        """Confirmed. Its message id."""
        message_id = str(new_id())
        publisher = Publisher(self.settings, Topology(), purpose="doctor's publisher")
        try:
            publisher.publish(
                [
                    OutgoingMessage(
                        exchange=exchange,
                        routing_key=key,
                        body=b"{}",
                        properties={
                            "message_id": message_id,
                            "delivery_mode": PERSISTENT,
                            "type": "edda.canary",
                            "expiration": "60000",
                        },
                    )
                ]
            )
        finally:
            publisher.close()
        return message_id


def _policies(name: str, found: Mapping[str, Any]) -> Iterator[Finding]:
    definition = found.get("effective_policy_definition") or {}
    for key, meaning in _DANGEROUS.items():
        if key in definition:
            policy = found.get("policy") or found.get("operator_policy") or "?"
            yield Finding(
                Severity.WARNING,
                f"queue {name}",
                f"policy {policy} sets {key}={definition[key]}: {meaning}",
            )


def _fetch(
    channel: amqp.Channel, queue: str, message_id: str, seconds: float = CANARY_SECONDS
) -> Any | None:
    """The message with this id, not acknowledged; others that a doctor has left are removed."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        message = channel.basic_get(queue)
        if message is None:
            sleep(0.02)
        elif message.properties.get("message_id") == message_id:
            return message
        else:
            channel.basic_ack(message.delivery_tag)
    return None
