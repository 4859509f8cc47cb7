"""How long each attempt of a saga's steps took, from what is recorded in its stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy

from events.exceptions import EventsError
from events.explorer.presentation import duration
from events.messages import DomainEvent
from events.recorded_event import RecordedEvent
from events.store.configured import event_store
from events.streams import StreamName

from .. import events
from ..identity import Direction

#: Of the newest saga's stream; a longer one is shown up to here.
MAX_EVENTS = 500
#: Of the picture, in its own units.
WIDTH = 1000
_LEAST = 3

_BEGINS = {
    events.StepRequested: Direction.DO,
    events.CompensationRequested: Direction.UNDO,
}
#: What an attempt ends with: direction, and the word for it.
_ENDS: Mapping[type[DomainEvent], tuple[Direction, str]] = {
    events.StepSucceeded: (Direction.DO, "succeeded"),
    events.StepRejected: (Direction.DO, "rejected"),
    events.StepFailed: (Direction.DO, "failed"),
    events.StepTimedOut: (Direction.DO, "timed out"),
    events.StepSkipped: (Direction.DO, "skipped"),
    events.CompensationSucceeded: (Direction.UNDO, "succeeded"),
    events.CompensationFailed: (Direction.UNDO, "failed"),
    events.CompensationRetryScheduled: (Direction.UNDO, "failed, retried later"),
    events.CompensationSkipped: (Direction.UNDO, "done by hand"),
    events.CompensationAbandoned: (Direction.UNDO, "given up"),
}
_LABELS = {
    "": gettext_lazy("under way"),
    "succeeded": gettext_lazy("succeeded"),
    "rejected": gettext_lazy("rejected"),
    "failed": gettext_lazy("failed"),
    "timed out": gettext_lazy("timed out"),
    "skipped": gettext_lazy("skipped"),
    "failed, retried later": gettext_lazy("failed, retried later"),
    "done by hand": gettext_lazy("done by hand"),
    "given up": gettext_lazy("given up"),
}
_TONES = {"succeeded": "good", "skipped": "warning", "done by hand": "warning", "": "busy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    step: str
    direction: Direction
    number: int
    began_at: datetime
    #: None: under way.
    ended_at: datetime | None = None
    outcome: str = ""
    #: Of its bar, of WIDTH.
    x: int = 0
    width: int = 0

    @property
    def tone(self) -> str:
        return _TONES.get(self.outcome, "bad")

    @property
    def label(self) -> Any:
        return _LABELS[self.outcome]

    @property
    def took(self) -> str:
        return "-" if self.ended_at is None else duration(self.ended_at - self.began_at)


def timing(stream: StreamName, now: datetime) -> list[Attempt]:
    """In the order in which they began. Empty where the stream can't be read."""
    try:
        read = list(event_store().read_stream(stream, limit=MAX_EVENTS))
        return _placed(attempts(read), now)
    except EventsError:
        return []


def attempts(read: Iterable[RecordedEvent]) -> list[Attempt]:
    found: list[Attempt] = []
    for recorded in read:
        event: Any = recorded.event
        if direction := _BEGINS.get(type(event)):
            found.append(
                Attempt(
                    step=event.step,
                    direction=direction,
                    number=event.attempt,
                    began_at=recorded.recorded_at,
                )
            )
        elif ending := _ENDS.get(type(event)):
            _end(found, event.step, *ending, recorded.recorded_at)
    return found


def _end(found: list[Attempt], step: str, direction: Direction, outcome: str, at: datetime) -> None:
    """The last one of the step that is still open."""
    for index in reversed(range(len(found))):
        each = found[index]
        if (each.step, each.direction) == (step, direction) and each.ended_at is None:
            found[index] = replace(each, ended_at=at, outcome=outcome)
            return


def _placed(found: list[Attempt], now: datetime) -> list[Attempt]:
    if not found:
        return []
    first = found[0].began_at
    last = max([each.ended_at or now for each in found])
    seconds = max((last - first).total_seconds(), 0.001)
    placed = []
    for each in found:
        x = int(WIDTH * (each.began_at - first).total_seconds() / seconds)
        width = int(WIDTH * ((each.ended_at or now) - each.began_at).total_seconds() / seconds)
        placed.append(
            replace(each, x=min(x, WIDTH - _LEAST), width=max(_LEAST, min(width, WIDTH - x)))
        )
    return placed
