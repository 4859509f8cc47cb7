"""Which exchanges and queues this project uses, by name, as a topology.

| name | is |
|---|---|
| `events` | topic exchange of all events, key `AggregateType.EventType` |
| `events.unrouted` | exchange and queue of those that no queue is bound for: the last 10,000 |
| `<queue>` | of a subscription, bound to `events` by its patterns |
| `events.retry.5000ms` | exchange and queue of messages that wait so long before they return |
| `events.dlx` | direct exchange of dead letters, key: the queue that they come from |
| `<queue>.dlq` | dead letters of that queue |

`events` stands for the exchange of the settings.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..bus.retry import RetryPolicy
from ..bus.subscription import Subscription
from ..exceptions import InvalidInput
from .messages import binding_key
from .topology import (
    Binding,
    Exchange,
    ExchangeKind,
    Queue,
    QueueKind,
    Topology,
    milliseconds,
)

MAX_UNROUTED = 10_000


def event_topology(exchange: str) -> Topology:
    """What whoever publishes events needs."""
    unrouted = f"{exchange}.unrouted"
    topology = Topology()
    topology.add(
        Exchange(name=unrouted, kind=ExchangeKind.FANOUT),
        Exchange(name=exchange, alternate=unrouted),
        # An event that nobody listens to is nothing unusual: it must not fill the disk, and isn't
        # worth what a quorum queue costs.
        Queue(name=unrouted, kind=QueueKind.CLASSIC, max_length=MAX_UNROUTED, drops_oldest=True),
        Binding(unrouted, unrouted, ""),
    )
    return topology


def dead_letter_topology(exchange: str, queue: str) -> Topology:
    topology = Topology()
    name = dead_letter_exchange(exchange)
    topology.add(
        Exchange(name=name, kind=ExchangeKind.DIRECT),
        Queue(name=dead_letter_queue(queue)),
        Binding(dead_letter_queue(queue), name, queue),
    )
    return topology


def retry_topology(exchange: str, policy: RetryPolicy) -> Topology:
    """A queue for each delay, for all subscriptions together: a message is published to it with the
    name of its own queue as the key, expires there, and is sent on by that key. One TTL each,
    because messages expire only at the head of a queue."""
    topology = Topology()
    for seconds in delays(policy):
        name = retry_exchange(exchange, seconds)
        topology.add(
            Exchange(name=name, kind=ExchangeKind.FANOUT),
            Queue(name=name, dead_letter_exchange="", message_ttl_seconds=seconds),
            Binding(name, name, ""),
        )
    return topology


def subscription_topology(exchange: str, subscription: Subscription) -> Topology:
    """All that a consumer needs, too."""
    options = subscription.queue
    if options is None:
        raise InvalidInput("queue", f"{subscription} names none")
    topology = event_topology(options.exchange or exchange)
    topology.merge(dead_letter_topology(exchange, options.name))
    if not options.ordered:
        topology.merge(retry_topology(exchange, subscription.retry))
    topology.add(
        Queue(
            name=options.name,
            dead_letter_exchange=dead_letter_exchange(exchange),
            dead_letter_routing_key=options.name,
            message_ttl_seconds=options.message_ttl_seconds,
            single_active_consumer=options.ordered,
        ),
        *(
            Binding(options.name, options.exchange or exchange, binding_key(criterion))
            for criterion in subscription.criteria
        ),
    )
    return topology


def dead_letter_exchange(exchange: str) -> str:
    return f"{exchange}.dlx"


def dead_letter_queue(queue: str) -> str:
    return f"{queue}.dlq"


def retry_exchange(exchange: str, delay_seconds: float) -> str:
    return f"{exchange}.retry.{milliseconds(delay_seconds)}ms"


def retry_delay(policy: RetryPolicy, failed_attempts: int) -> float:
    """Without jitter: each delay is a queue."""
    return policy.delay_seconds(failed_attempts, uniform=lambda least, most: most)


def delays(policy: RetryPolicy) -> Iterator[float]:
    """All that the policy has, each once."""
    yield from dict.fromkeys(retry_delay(policy, number) for number in range(1, policy.attempts))
