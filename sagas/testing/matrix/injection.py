"""What is to go wrong in one run, and what of it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from django.db import transaction

from events.bus.subscription import Effects, subscriptions
from events.conf import events_settings
from events.delivery.calling import handle_one
from events.delivery.context import current_delivery
from events.exceptions import CommandRefused
from events.recorded_event import RecordedEvent

from ...identity import Direction
from ..faults import Fault, Kind

#: A step, and whether it is done or undone.
Leg: TypeAlias = tuple[str, Direction]


class InjectedFailure(Exception):
    """Raised in the place of a handler, or after it."""


class InjectedRefusal(CommandRefused):
    code = "injected"


@dataclass(slots=True)
class Injection:
    #: The fault of the case, after the one that it needs to be reached.
    faults: tuple[Fault, ...]
    reached: set[Fault] = field(default_factory=set)
    #: By handlers that were executed for a second time.
    raised_again: list[Exception] = field(default_factory=list)
    #: Messages that are still to come, or to come again, when nothing else is left to come.
    held: list[Callable[[], object]] = field(default_factory=list)
    #: Those that come when the second attempt has been asked for.
    held_for_second_attempt: list[Callable[[], object]] = field(default_factory=list)
    #: What operators do, as soon as what is handled now is committed.
    actions: list[Callable[[], object]] = field(default_factory=list)
    #: The last attempt of each leg that was asked for.
    asked: dict[Leg, int] = field(default_factory=dict)
    _known: set[UUID] = field(default_factory=set)

    @classmethod
    def of(cls, fault: Fault) -> Injection:
        return cls((fault,) if fault.turn is None else (fault.turn, fault))

    def at(self, leg: Leg, *kinds: Kind) -> Fault | None:
        """The fault of one of these kinds that is meant for the leg, whether or not it has come."""
        for fault in self.faults:
            if fault.kind in kinds and (fault.step, fault.direction) == leg:
                return fault
        return None

    def hits(self, leg: Leg, kind: Kind, *, attempt: int = 1) -> bool:
        """Whether it has to happen now. Then it counts as reached."""
        fault = self.at(leg, kind)
        if fault is None or (fault.once and attempt > 1):
            return False
        self.reached.add(fault)
        return True

    def hits_first(self, leg: Leg, kind: Kind) -> bool:
        """As `hits`, but only the first time."""
        return self.at(leg, kind) not in self.reached and self.hits(leg, kind)

    # --- messages that come later, or again ---

    def is_known(self, recorded: RecordedEvent) -> bool:
        """Whether it was held: now it comes."""
        return recorded.event_id in self._known

    def hold(self, recorded: RecordedEvent, *, for_second_attempt: bool = False) -> None:
        """Comes later to who is getting it now. If that has it already, it comes again."""
        name = current_delivery().subscription
        self._known.add(recorded.event_id)
        held = self.held_for_second_attempt if for_second_attempt else self.held
        held.append(lambda: _deliver(name, recorded))

    def act(self) -> bool:
        """Whether an operator had something to do. Who gets no answer, because of a crash, asks
        again."""
        has_acted = bool(self.actions)
        while self.actions:
            self.actions[0]()
            del self.actions[0]
        return has_acted

    def let_go(self) -> bool:
        """What was held until now. Whether there was anything."""
        messages, self.held = self.held, []
        return _call_all(messages)

    def let_go_behind_second_attempt(self) -> bool:
        """As `let_go`, of those that waited for it, if it was made."""
        if not any(
            fault.kind is Kind.ANSWER_REORDERED
            and self.asked.get((fault.step, fault.direction), 0) > 1
            for fault in self.faults
        ):
            return False
        messages, self.held_for_second_attempt = self.held_for_second_attempt, []
        return _call_all(messages)


def _call_all(calls: list[Callable[[], object]]) -> bool:
    for call in calls:
        call()
    return bool(calls)


def _deliver(name: str, recorded: RecordedEvent) -> None:
    subscription = subscriptions.get(name)
    if subscription.effects is Effects.EXTERNAL:
        handle_one(subscription, recorded, attempt=1)
        return
    with transaction.atomic(using=events_settings().database):
        handle_one(subscription, recorded, attempt=1)
