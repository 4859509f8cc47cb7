"""Events find the sagas that wait for them: one durable subscription for each kind of saga."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from events.bus.retry import RetryPolicy
from events.bus.subscription import Handler, subscribe
from events.messages import DomainEvent
from events.recorded_event import RecordedEvent

from .clock import database_time
from .correlation import deliveries
from .exceptions import AmbiguousAnswer, SagaAlreadyStarted, SagaIsBlocked
from .identity import saga_type_of
from .registry import Definitions, definitions
from .running import Give, Sagas, give, is_first_attempt

#: An answer can overtake the start that it belongs to: it is given again, soon and for a while.
#: What only an operator can settle is left to one at once.
_RETRY = RetryPolicy(
    attempts=12,
    first_delay_seconds=0.2,
    factor=2,
    max_delay_seconds=600,
    never_for=(SagaAlreadyStarted, SagaIsBlocked, AmbiguousAnswer),
)


class Inbox:
    """The handler for one kind of saga."""

    def __init__(self, saga_type: str, known: Definitions) -> None:
        self.saga_type = saga_type
        self._known = known

    def __call__(self, recorded: RecordedEvent) -> None:
        self.take(give, recorded)

    @contextmanager
    def together(self) -> Iterator[Handler]:
        sagas = Sagas()
        yield partial(self.take, sagas.give)
        sagas.save()

    def take(self, give: Give, recorded: RecordedEvent) -> None:
        """Gives it to those of this kind that wait for it."""
        for delivery in deliveries(recorded, database_time(), self._known):
            if saga_type_of(delivery.saga_id) == self.saga_type:
                give(delivery.saga_id, delivery.given, goes_on_at_once=is_first_attempt())


def subscription_name(saga_type: str) -> str:
    return f"sagas.{saga_type}"


def follow_definitions(known: Definitions = definitions) -> None:
    """Subscribes to what the definitions wait for. Called again when there is another one."""
    for saga_type in {plan.saga_type for plan in known}:
        plans = [plan for plan in known if plan.saga_type == saga_type]
        awaited: set[type] = {cls for plan in plans for cls in plan.routes}
        awaited.add(known.latest(saga_type).starts_on)
        subscribe(
            tuple(sorted(cls.event_type for cls in awaited if issubclass(cls, DomainEvent))),
            Inbox(saga_type, known),
            name=subscription_name(saga_type),
            retry=_RETRY,
            priority=5,
            start=known.latest(saga_type).definition.start,  # type: ignore[attr-defined]
        )
