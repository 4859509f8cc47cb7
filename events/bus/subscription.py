"""Who gets which events, and how: the declarations that `dispatcher` and `delivery` act on.

    @subscribes_to(UserRegistered, name="users.welcome_email", effects=Effects.EXTERNAL)
    def send_welcome_email(recorded: RecordedEvent) -> None: ...

Put it into a module that your DomainAppConfig imports (`subscribers` or `projections`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from ..exceptions import InvalidInput, RegistrationError, UnknownSubscription
from ..messages import DomainEvent
from ..recorded_event import RecordedEvent
from .patterns import Criterion, EventPattern, parse_pattern
from .queues import QueueOptions
from .retry import RetryPolicy
from .timeouts import check_time_limit

Handler: TypeAlias = Callable[[Any], Any]
HandlerT = TypeVar("HandlerT", bound=Handler)
Filter: TypeAlias = Callable[[RecordedEvent], bool]
Pattern: TypeAlias = str | type[DomainEvent]

MAX_NAME_LENGTH = 200
MAX_LANES = 64
_NAME = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)

DURABLE_RETRY = RetryPolicy(attempts=8, first_delay_seconds=0.5, factor=3, max_delay_seconds=600)
LOCAL_RETRY = RetryPolicy(attempts=1)
#: Each delay is a queue at the broker: few, and far apart.
QUEUE_RETRY = RetryPolicy(
    attempts=5, first_delay_seconds=5, factor=6, max_delay_seconds=1800, jitter=0
)


@runtime_checkable
class SavesTogether(Protocol):
    """A handler of single events that writes once for all of a transaction. Not for batches."""

    def together(self) -> AbstractContextManager[Handler]:
        """Entered in the transaction, with what is called for each of its events; left without an
        error after the last one, to write; left with one, all of it is forgotten."""


class Delivery(Enum):
    """When a handler is called, and what that promises."""

    #: In the transaction of the append: all or nothing with it.
    INLINE = "inline"
    #: After the commit, in the process that made it: best effort, nothing is kept.
    LOCAL = "local"
    #: In a worker: at least once, in the order of each stream; once for effects in the database.
    DURABLE = "durable"
    #: From a queue of RabbitMQ, by `manage.py consume_rabbitmq`: at least once; once for effects in
    #: the database. In the order of each stream if the queue is `ordered`.
    RABBITMQ = "rabbitmq"


class Effects(Enum):
    """Where a durable handler leaves its effects."""

    #: In the database of the log: they are committed together with the checkpoint.
    DATABASE = "database"
    #: Elsewhere: called outside of a transaction, one event at a time unless `in_batches`, at least
    #: once. The `idempotency_key` of `current_delivery()` is the same in each attempt; of a batch,
    #: it is the first event's, and after a failure its events come again one by one.
    EXTERNAL = "external"


class OnFailure(Enum):
    """What becomes of an event whose attempts are used up. Meanwhile, and with PARK until an
    operator acts, later events of the same stream wait behind it."""

    PARK = "park"
    #: Recorded as a dead letter, too, but its stream goes on.
    SKIP = "skip"
    #: The whole subscription stops.
    STOP = "stop"


class Start(Enum):
    """Where a subscription begins when it is run for the first time."""

    BEGINNING = "beginning"
    NOW = "now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A named reader of the log. Its name is what its checkpoint is kept under: keep it stable."""

    name: str
    handler: Handler
    patterns: tuple[EventPattern, ...]
    delivery: Delivery
    #: Highest first, among the handlers of one event, and among the subscriptions of a worker.
    priority: int
    filter: Filter | None
    retry: RetryPolicy
    #: Of one call of the handler. None: no limit.
    timeout_seconds: float | None
    #: Or a position: the first event that it gets.
    start: Start | int
    #: How many workers can handle its streams at the same time.
    lanes: int
    #: The handler gets a list of events.
    in_batches: bool
    batch_size: int
    effects: Effects
    on_failure: OnFailure
    #: When one stream after another fails, the lane waits, instead of trying all others, too.
    backs_off: bool
    #: Of `Delivery.RABBITMQ`, and of no other.
    queue: QueueOptions | None = None

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        return tuple(criterion for pattern in self.patterns for criterion in pattern.criteria)

    def wants(self, recorded: RecordedEvent) -> bool:
        return any(pattern.matches(recorded) for pattern in self.patterns) and (
            self.filter is None or bool(self.filter(recorded))
        )

    def matches(self, recorded: RecordedEvent) -> bool:
        """By its patterns alone: the filter is the subscriber's code, and may raise."""
        return any(pattern.matches(recorded) for pattern in self.patterns)

    @property
    def is_stored(self) -> bool:
        """Whether anything of it is kept in the database: what an operator can act on."""
        return self.delivery in (Delivery.DURABLE, Delivery.RABBITMQ)

    @property
    def is_in_streams(self) -> bool:
        """Whether it has lanes and a checkpoint, and keeps the order of each stream."""
        return self.delivery is Delivery.DURABLE or (self.queue is not None and self.queue.ordered)

    def __str__(self) -> str:
        return self.name


class Subscriptions:
    """All of this process, by name."""

    def __init__(self) -> None:
        self._by_name: dict[str, Subscription] = {}
        #: Called with each one that is added or removed.
        self.observers: list[Callable[[], object]] = []

    def __iter__(self) -> Iterator[Subscription]:
        """By priority, highest first, then in the order of registration."""
        return iter(sorted(self._by_name.values(), key=lambda each: -each.priority))

    def of(self, delivery: Delivery) -> list[Subscription]:
        return [each for each in self if each.delivery is delivery]

    def stored(self) -> list[Subscription]:
        """Those of which something is kept in the database."""
        return [each for each in self if each.is_stored]

    def find(self, name: str) -> Subscription | None:
        return self._by_name.get(name)

    def get(self, name: str) -> Subscription:
        """Raises UnknownSubscription."""
        subscription = self.find(name)
        if subscription is None:
            raise UnknownSubscription(name, list(self._by_name))
        return subscription

    def add(self, subscription: Subscription) -> None:
        taken = self._by_name.setdefault(subscription.name, subscription)
        if taken is not subscription and not _is_same_code(taken, subscription):
            raise RegistrationError(
                f"Two subscriptions have the name {subscription.name!r}: "
                f"{taken.handler!r} and {subscription.handler!r}."
            )
        self._by_name[subscription.name] = subscription
        self._tell_observers()

    def remove(self, name: str) -> bool:
        """Whether there was one. What is stored of it stays: see `manage.py subscriptions`."""
        removed = self._by_name.pop(name, None) is not None
        self._tell_observers()
        return removed

    def _tell_observers(self) -> None:
        for observer in self.observers:
            observer()


subscriptions = Subscriptions()


def subscribe(
    pattern: Pattern | tuple[Pattern, ...],
    handler: Handler,
    *,
    name: str | None = None,
    delivery: Delivery = Delivery.DURABLE,
    priority: int = 0,
    filter: Filter | None = None,
    retry: RetryPolicy | None = None,
    timeout_seconds: float | None = 30.0,
    start: Start | int = Start.BEGINNING,
    lanes: int = 1,
    in_batches: bool = False,
    batch_size: int = 200,
    effects: Effects = Effects.DATABASE,
    on_failure: OnFailure = OnFailure.PARK,
    backs_off: bool = True,
    queue: QueueOptions | str | None = None,
) -> Subscription:
    """Calls the handler with each RecordedEvent that a pattern (see `patterns`) matches and the
    filter returns true for. Fields and defaults are those of `Subscription`; the name defaults to
    the handler's module and name. A queue, or its name, makes the delivery `RABBITMQ`.

    Raises InvalidInput with the field, or RegistrationError where the name is taken.
    """
    if not callable(handler):
        raise InvalidInput("handler", f"expected a callable, got {handler!r:.60}")
    given = pattern if isinstance(pattern, tuple) else (pattern,)
    if isinstance(queue, str):
        queue = QueueOptions(name=queue)
    if queue is not None and delivery is Delivery.DURABLE:
        delivery = Delivery.RABBITMQ
    subscription = Subscription(
        name=_default_name(handler) if name is None else name,
        handler=handler,
        patterns=tuple(parse_pattern(each) for each in given),
        delivery=delivery,
        priority=priority,
        filter=filter,
        retry=_default_retry(delivery, queue) if retry is None else retry,
        timeout_seconds=timeout_seconds,
        start=start,
        lanes=lanes,
        in_batches=in_batches,
        batch_size=batch_size,
        effects=effects,
        on_failure=on_failure,
        backs_off=backs_off,
        queue=queue,
    )
    _check(subscription)
    subscriptions.add(subscription)
    return subscription


def subscribes_to(*patterns: Pattern, **options: Any) -> Callable[[HandlerT], HandlerT]:
    """Subscribes the decorated function; the options are those of `subscribe`."""

    def register(handler: HandlerT) -> HandlerT:
        subscribe(patterns, handler, **options)
        return handler

    return register


def _default_retry(delivery: Delivery, queue: QueueOptions | None) -> RetryPolicy:
    if delivery is Delivery.RABBITMQ and queue is not None and not queue.ordered:
        return QUEUE_RETRY
    return DURABLE_RETRY if delivery in (Delivery.DURABLE, Delivery.RABBITMQ) else LOCAL_RETRY


def _default_name(handler: Handler) -> str:
    name = f"{getattr(handler, '__module__', '')}.{getattr(handler, '__qualname__', '')}"
    return name.replace(".<locals>", "")


def _is_same_code(one: Subscription, other: Subscription) -> bool:
    """As when a module is imported again."""
    return _default_name(one.handler) == _default_name(other.handler)


def _check(subscription: Subscription) -> None:
    name = subscription.name
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise InvalidInput(
            "name",
            f"{name!r:.80} can't name a subscription: use letters, digits, _, - and ., "
            f"at most {MAX_NAME_LENGTH} of them",
        )
    if not subscription.patterns:
        raise InvalidInput("pattern", "there is none")
    kinds = {
        "delivery": Delivery,
        "effects": Effects,
        "on_failure": OnFailure,
        "retry": RetryPolicy,
        "priority": int,
        "in_batches": bool,
        "backs_off": bool,
    }
    for field, kind in kinds.items():
        value = getattr(subscription, field)
        if type(value) is not kind:
            raise InvalidInput(field, f"expected {kind.__name__}, got {value!r:.60}")
    if subscription.filter is not None and not callable(subscription.filter):
        raise InvalidInput("filter", f"expected a callable, got {subscription.filter!r:.60}")
    check_time_limit("timeout_seconds", subscription.timeout_seconds)
    if subscription.queue is not None and type(subscription.queue) is not QueueOptions:
        raise InvalidInput("queue", f"expected QueueOptions, got {subscription.queue!r:.60}")
    _check_number("lanes", subscription.lanes, 1, MAX_LANES)
    _check_number("batch_size", subscription.batch_size, 1, 10_000)
    if not isinstance(subscription.start, Start):
        _check_number("start", subscription.start, 1, 2**63 - 1)
    _check_options_of_delivery(subscription)


def _check_number(field: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise InvalidInput(field, f"expected an int from {least} to {most}, got {value!r:.60}")


def _check_options_of_delivery(subscription: Subscription) -> None:
    """Refuses what would silently do nothing."""
    delivery, queue = subscription.delivery, subscription.queue
    if (delivery is Delivery.RABBITMQ) != (queue is not None):
        raise InvalidInput("queue", f"is for Delivery.RABBITMQ, not for {delivery}")
    in_streams, has_effects = subscription.is_in_streams, subscription.is_stored
    unused = {
        "start": subscription.start is not Start.BEGINNING and delivery is not Delivery.DURABLE,
        "lanes": subscription.lanes != 1 and not in_streams,
        "in_batches": subscription.in_batches and not has_effects,
        "effects": subscription.effects is not Effects.DATABASE and not has_effects,
        "on_failure": subscription.on_failure is not OnFailure.PARK and not in_streams,
        "backs_off": not subscription.backs_off and not has_effects,
    }
    for field, is_unused in unused.items():
        if is_unused:
            raise InvalidInput(field, f"does nothing for {subscription}, of {delivery}")
    if delivery is Delivery.INLINE and subscription.retry.attempts > 1:
        raise InvalidInput("retry", "a failed statement has ended the transaction: there is none")
