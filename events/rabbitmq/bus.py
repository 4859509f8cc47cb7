"""RabbitMQ behind one object: declare, publish, subscribe, consume.

    bus = RabbitMQEventBus("amqp://guest:guest@localhost//")
    bus.subscribe("User.*", process_user, queue="user_processor", prefetch=20)
    bus.run()

A project that has a log needs none of it: the relay publishes, and `manage.py consume_rabbitmq`
runs what `subscribes_to(..., queue="user_processor")` declares. It is for scripts, and for tests.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import fields
from difflib import get_close_matches
from types import TracebackType
from typing import Any

from ..bus import subscription as declarations
from ..bus.queues import QueueOptions
from ..bus.subscription import Handler, Pattern, Subscription
from ..delivery.engine import never
from ..exceptions import InvalidInput
from ..messages import DomainEvent
from ..recorded_event import RecordedEvent
from ..streams import StreamName
from .conf import checked_settings, rabbitmq_settings
from .connection import Link
from .consuming import Consumer
from .layout import event_topology, subscription_topology
from .messages import OutgoingMessage, message_of, message_of_domain_event, routing_key
from .publishing import Publisher
from .topology import Binding, Exchange, ExchangeKind, Queue, options_of, snake_case

_QUEUE_OPTIONS = tuple(each.name for each in fields(QueueOptions) if each.name != "name")
_SUBSCRIPTION_OPTIONS = tuple(
    name
    for name in inspect.signature(declarations.subscribe).parameters
    if name not in ("pattern", "handler", "queue", "delivery", "start")
)


class RabbitMQEventBus:
    """Remembers what was declared with it, and declares all of it again on each connection. For one
    thread; close it, or use it as a context manager."""

    def __init__(self, url: str | None = None, **settings: Any) -> None:
        """Of the settings in EVENTS["rabbitmq"], where no URL is given. Raises InvalidInput."""
        if url is None and settings:
            raise InvalidInput(next(iter(settings)), "is taken from EVENTS['rabbitmq']")
        self.settings = (
            rabbitmq_settings() if url is None else checked_settings({"url": url, **settings})
        )
        self._topology = event_topology(self.settings.exchange)
        self._subscriptions: list[Subscription] = []
        self._publisher: Publisher | None = None

    def __enter__(self) -> RabbitMQEventBus:
        self.connect()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Declares everything. Raises BrokerUnavailable, or TopologyMismatch. Publishing and `run`
        connect by themselves, and again when they have to."""
        link = Link(self.settings, self._topology, purpose="bus")
        link.connect()
        link.close()

    # --- declare ---

    def declare_exchange(self, name: str, **options: Any) -> Exchange:
        """Options are the fields of `topology.Exchange`. Raises InvalidInput for others."""
        exchange = options_of(Exchange, name, options)
        self._declare(exchange)
        return exchange

    def declare_queue(self, name: str, **options: Any) -> Queue:
        """Options are the fields of `topology.Queue`. Raises InvalidInput for others."""
        queue = options_of(Queue, name, options)
        self._declare(queue)
        return queue

    def bind_queue(self, queue: str, exchange: str, key: str) -> None:
        self._declare(Binding(queue, exchange, key))

    def create_dead_letter_setup(self, exchange: str | None = None) -> tuple[Exchange, Queue]:
        """For queues that are declared by hand, with `dead_letter_exchange=f"{exchange}.dlx"` and
        `dead_letter_routing_key="failed"`: those of `subscribe` have one each."""
        name = exchange or self.settings.exchange
        dlx = Exchange(name=f"{name}.dlx", kind=ExchangeKind.DIRECT)
        dlq = Queue(name=f"{name}.dlq")
        self._declare(dlx, dlq, Binding(dlq.name, dlx.name, "failed"))
        return dlx, dlq

    def _declare(self, *parts: Exchange | Queue | Binding) -> None:
        """With the next use, on a connection that has it."""
        self._topology.add(*parts)
        if self._publisher is not None:
            self._publisher.close()

    # --- publish ---

    def publish(
        self,
        event: RecordedEvent | DomainEvent,
        stream: StreamName | None = None,
        *,
        exchange: str | None = None,
    ) -> None:
        """Confirmed on return. A DomainEvent that is in no log needs the stream that it is of.
        Raises BrokerUnavailable, when it may have arrived or not, or MessageRefused."""
        self.publish_all([event], stream, exchange=exchange)

    def publish_all(
        self,
        events: Sequence[RecordedEvent | DomainEvent],
        stream: StreamName | None = None,
        *,
        exchange: str | None = None,
    ) -> None:
        """In their order; all are confirmed on return."""
        name = exchange or self.settings.exchange
        if name not in self._topology.exchanges:
            self.declare_exchange(name)
        messages = [self._message(event, stream, name) for event in events]
        if self._publisher is None:
            self._publisher = Publisher(self.settings, self._topology, purpose="bus")
        self._publisher.publish(messages)

    def _message(
        self, event: RecordedEvent | DomainEvent, stream: StreamName | None, exchange: str
    ) -> OutgoingMessage:
        source = self.settings.source
        if isinstance(event, RecordedEvent):
            return message_of(event, exchange=exchange, source=source)
        if stream is None:
            raise InvalidInput("stream", f"of which aggregate is {event.event_type}?")
        return message_of_domain_event(stream, event, exchange=exchange, source=source)

    @staticmethod
    def get_routing_key(event: RecordedEvent) -> str:
        return routing_key(event.aggregate_type, event.event_type)

    # --- consume ---

    def subscribe(
        self, pattern: Pattern, handler: Handler, *, queue: str, **options: Any
    ) -> Subscription:
        """Options are those of `events.bus.subscription.subscribe`, and the fields of QueueOptions:
        prefetch, ordered, message_ttl_seconds, exchange. Raises InvalidInput for others."""
        for option in options:
            _check_option(option)
        of_queue = {name: options.pop(name) for name in _QUEUE_OPTIONS if name in options}
        subscription = declarations.subscribe(
            pattern, handler, queue=QueueOptions(name=queue, **of_queue), **options
        )
        self._topology.merge(subscription_topology(self.settings.exchange, subscription))
        self._subscriptions.append(subscription)
        return subscription

    def run(
        self, *, is_stopping: Callable[[], bool] = never, idle_seconds: float | None = None
    ) -> Consumer:
        """Handles what comes for its subscriptions, until it is asked to stop or nothing has come
        for so long. Returns the consumer, with its tally."""
        consumer = Consumer(
            settings=self.settings, subscriptions=self._subscriptions, is_stopping=is_stopping
        )
        consumer.run(idle_seconds=idle_seconds)
        return consumer

    def close(self) -> None:
        """It can be used again."""
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close()


def _check_option(option: str) -> None:
    known = (*_QUEUE_OPTIONS, *_SUBSCRIPTION_OPTIONS)
    if option not in known:
        close = get_close_matches(snake_case(option), known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
        raise InvalidInput(option, f"is no option of subscribe: {hint}")
