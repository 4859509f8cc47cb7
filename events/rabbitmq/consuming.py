"""Runs the subscriptions that name a queue: connects, declares, consumes, handles, again and again.

One thread does it all, so that time limits of handlers can interrupt them; while it is in one,
`connection.Pulse` keeps the connection alive.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from django.db import Error, connections

from ..bus.subscription import Subscription
from ..conf import events_settings
from ..delivery import lanes
from ..delivery.engine import OUTAGE_BACK_OFF, never
from ..delivery.worker import Worker
from ..exceptions import BrokerUnavailable, InvalidInput, Outage, TopologyMismatch
from ..models import FailedEvent, Lane, SubscriptionState
from . import inbox
from .bridging import redrive_due, take_over
from .conf import RabbitMQSettings
from .connection import RECONNECT, Link, Pulse, broker_errors, declare
from .feeds import Feed
from .handling import Handling, Tally
from .layout import dead_letter_queue, subscription_topology
from .messages import IncomingMessage
from .publishing import Publisher
from .received import ReceivedEvents
from .receiving import Receiving
from .topology import Topology

logger = logging.getLogger(__name__)

#: It is waited so long for a message, and then looked whether it is time to end.
WAIT_SECONDS = 0.1
#: What operators changed is looked up this often.
REFRESH_SECONDS = 0.5
TIDY_SECONDS = 60.0
#: Messages that are read before they are looked at.
READ_AT_ONCE = 1000
#: Dead letters are few, or else there is no hurry.
BRIDGE_PREFETCH = 20


@dataclass(slots=True, kw_only=True)
class Consumption:
    """Of one subscription: its two feeds, and what else there is to be done for it."""

    subscription: Subscription
    settings: RabbitMQSettings
    publisher: Publisher
    is_stopping: Callable[[], bool]
    tally: Tally
    feed: Feed = field(init=False)
    dead: Feed = field(init=False)
    worker: Worker | None = field(init=False, default=None)
    #: In `monotonic()`: nothing is tried before.
    not_before: float = 0.0
    outages: int = 0
    is_active: bool = True
    _handling: Handling | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        subscription, options = self.subscription, self.subscription.queue
        if options is None:
            raise InvalidInput("queue", f"{subscription} names none")
        exchange, publish = self.settings.exchange, self.publisher.publish
        handle: Callable[[Sequence[IncomingMessage]], Iterable[int]]
        if options.ordered:
            receiving = Receiving(
                subscription=subscription, exchange=exchange, publish=publish, tally=self.tally
            )
            source = ReceivedEvents(subscription.name)
            self.worker = Worker(source, only=[subscription], is_stopping=self.is_stopping)
            handle = receiving.handle
        else:
            self._handling = Handling(
                subscription=subscription,
                exchange=exchange,
                publish=publish,
                is_stopping=self.is_stopping,
                tally=self.tally,
            )
            handle = self._handling.handle
        self.feed = Feed(options.name, options.prefetch, handle, subscription.batch_size)
        self.dead = Feed(
            dead_letter_queue(options.name), BRIDGE_PREFETCH, self._take_over, BRIDGE_PREFETCH
        )

    @property
    def topology(self) -> Topology:
        return subscription_topology(self.settings.exchange, self.subscription)

    @property
    def is_due(self) -> bool:
        return monotonic() >= self.not_before

    def open(self, link: Link) -> None:
        """What isn't open and shall be. A queue that is otherwise is left alone, and told."""
        if not self.is_active or not self.is_due or (self.feed.is_open and self.dead.is_open):
            return
        try:
            declare(link.connection, self.topology)
            for feed in (self.feed, self.dead):
                if not feed.is_open:
                    feed.open(link)
        except TopologyMismatch as error:
            self.back_off(error)

    def close(self) -> None:
        self.feed.close()
        self.dead.close()

    def work(self) -> bool:
        """Whether there was something to do."""
        if not self.is_active or not self.is_due:
            return False
        try:
            worked = self.feed.work()
            worked = self.dead.work() or worked
            if self.worker is not None:
                worked = self.worker.turn() or worked
        except BrokerUnavailable:
            raise
        except Outage as error:
            self.back_off(error)
            return False
        if worked and self._handling is not None and self._handling.is_outage:
            self.back_off(None)
        elif worked:
            self.outages = 0
        return worked

    def back_off(self, error: Exception | None) -> None:
        """It isn't the messages: one is tried each time, until one succeeds."""
        self.outages += 1
        seconds = OUTAGE_BACK_OFF.delay_seconds(self.outages)
        self.not_before = monotonic() + seconds
        logger.error("%s waits for %.1f s: %s", self.subscription, seconds, error or "all fail")

    def refresh(self) -> bool:
        """What operators have changed. Whether something was redriven."""
        using, name = events_settings().database, self.subscription.name
        state = SubscriptionState.objects.using(using).filter(name=name).first()
        self.is_active = state is None or state.status == SubscriptionState.Status.ACTIVE
        if not self.is_active:
            self.close()
            return False
        if not self.feed.is_open:
            return False  # the queue may be gone
        count = redrive_due(self.subscription, self.publisher)
        self.tally.redriven += count
        return count > 0

    def tidy(self) -> int:
        """How many received events were removed."""
        if self.worker is None:
            return 0
        using, name = events_settings().database, self.subscription.name
        positions = Lane.objects.using(using).filter(subscription_id=name)
        failed = FailedEvent.objects.using(using).filter(subscription_id=name)
        if not positions or failed.exists():
            return 0
        up_to = min(lane.position for lane in positions)
        return inbox.tidy_received(name, self.settings.inbox_days, up_to)

    def _take_over(self, messages: Sequence[IncomingMessage]) -> list[int]:
        take_over(self.subscription, messages)
        return [len(messages)]


@dataclass(slots=True, kw_only=True)
class Consumer:
    """Handles the messages of these subscriptions' queues."""

    settings: RabbitMQSettings
    subscriptions: Sequence[Subscription]
    is_stopping: Callable[[], bool] = never
    sleep: Callable[[float], object] = time.sleep
    tally: Tally = field(default_factory=Tally)
    _publisher: Publisher = field(init=False)
    _link: Link = field(init=False)
    _all: list[Consumption] = field(init=False)
    _refreshed_at: float = float("-inf")
    _tidied_at: float = field(default_factory=monotonic)
    _worked_at: float = 0.0

    def __post_init__(self) -> None:
        self._link = Link(self.settings, Topology(), purpose="consumer")
        self._publisher = Publisher(
            self.settings, Topology(), purpose="retries", has_size_limit=False
        )
        self._all = [
            Consumption(
                subscription=subscription,
                settings=self.settings,
                publisher=self._publisher,
                is_stopping=self.is_stopping,
                tally=self.tally,
            )
            for subscription in self.subscriptions
        ]

    def run(self, *, idle_seconds: float | None = None) -> None:
        """Until it is asked to stop, or there was nothing to do for so long. A broker or a database
        that is away is waited for."""
        self._worked_at, failures = monotonic(), 0
        while not self.is_stopping():
            started = monotonic()
            try:
                self._consume(idle_seconds)
                return
            except (Outage, Error) as error:
                lasted = monotonic() - started
                failures = 1 if lasted > RECONNECT.max_delay_seconds else failures + 1
                seconds = RECONNECT.delay_seconds(failures)
                logger.warning("Consuming is interrupted for %.1f s: %s", seconds, error)
                _drop_broken_connection()
                self._wait(seconds)
            finally:
                self._close()

    def _consume(self, idle_seconds: float | None) -> None:
        """Over one connection."""
        self._link.connect()
        for each in self._all:
            lanes.ensure_rows([each.subscription], ReceivedEvents(each.subscription.name))
        self._refresh()
        self._refreshed_at, worked = float("-inf"), False
        with Pulse(self._link, self._read) as pulse:
            while not self.is_stopping():
                if pulse.error is not None:
                    raise pulse.error
                for each in self._all:
                    each.open(self._link)
                self._read(0 if worked else WAIT_SECONDS)
                worked = self._turn()
                if worked:
                    self._worked_at = monotonic()
                elif idle_seconds is not None and monotonic() - self._worked_at > idle_seconds:
                    break
            for each in self._all:
                each.close()

    def _read(self, wait_seconds: float = 0) -> None:
        """What has come, into the feeds."""
        with self._link.lock, broker_errors():
            connection = self._link.connection
            for _ in range(READ_AT_ONCE):
                try:
                    connection.drain_events(timeout=wait_seconds)
                except TimeoutError:
                    return
                wait_seconds = 0

    def _turn(self) -> bool:
        """Whether there was something to do."""
        worked = False
        for each in self._all:
            if self.is_stopping():
                break
            worked = each.work() or worked
        if monotonic() - self._refreshed_at > REFRESH_SECONDS and not self.is_stopping():
            worked = self._refresh() or worked
        if monotonic() - self._tidied_at > TIDY_SECONDS and not self._tidy():
            self._tidied_at = monotonic()
        return worked

    def _tidy(self) -> bool:
        """Whether there is more to be removed: then it goes on with the next turn, so that no rate
        of messages is too high for it."""
        removed = [inbox.tidy(self.settings.inbox_days), *(each.tidy() for each in self._all)]
        return max(removed) > inbox.TOGETHER // 2

    def _refresh(self) -> bool:
        self._refreshed_at = monotonic()
        return sum(each.refresh() for each in self._all) > 0

    def _close(self) -> None:
        for each in self._all:
            each.close()
        self._link.close()
        self._publisher.close()

    def _wait(self, seconds: float) -> None:
        until = monotonic() + seconds
        while not self.is_stopping() and monotonic() < until:
            self.sleep(min(WAIT_SECONDS, max(0.0, until - monotonic())))


def _drop_broken_connection() -> None:
    connection = connections[events_settings().database]
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
