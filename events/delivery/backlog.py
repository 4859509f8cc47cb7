"""How far lanes are behind: the oldest event that each has to handle, for all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..bus.patterns import Criterion
from ..store.reading import EventQuery
from ..store.source import EventSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How many positions are looked through for that event, at once and in all."""

    window: int
    windows: int


FAR = Reach(window=200_000, windows=5)
#: Checkpoints follow closely where a worker is awake. Further away, the event behind the checkpoint
#: stands for the one that is looked for.
NEAR = Reach(window=10_000, windows=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Of a lane: what it is for, and how far it is. `lane` is (number, of how many)."""

    criteria: tuple[Criterion, ...]
    lane: tuple[int, int] | None
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    #: Positions from the oldest event to be handled up to the head; 0 where there is none.
    positions: int
    #: When it was recorded. None where it was too far away to be found.
    oldest_recorded_at: datetime | None


def lags(source: EventSource, places: Sequence[Place], head: int, reach: Reach) -> list[Lag]:
    """A statement for each window that any of them needs, not for each of them."""
    found: dict[int, Lag] = {}
    after = {index: place.position for index, place in enumerate(places)}
    for _ in range(reach.windows):
        left = [index for index in after if index not in found and after[index] < head]
        queries = [
            EventQuery(
                criteria=places[index].criteria,
                lane=places[index].lane,
                first=after[index] + 1,
                last=min(after[index] + reach.window, head),
            )
            for index in left
        ]
        for index, oldest in zip(left, source.read_first(queries), strict=True):
            if oldest is not None:
                positions = head - oldest.position + 1
                found[index] = Lag(positions=positions, oldest_recorded_at=oldest.recorded_at)
            after[index] = min(after[index] + reach.window, head)
    return [
        found.get(index) or Lag(positions=max(0, head - after[index]), oldest_recorded_at=None)
        for index in range(len(places))
    ]
