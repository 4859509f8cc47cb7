"""What becomes of a turn at a lane."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Ending(Enum):
    #: All events up to the mark.
    CAUGHT_UP = "caught up"
    #: Asked to stop, or out of time.
    STOPPED = "stopped"
    #: Backs off, or was stopped by its policy.
    HALTED = "halted"


@dataclass(slots=True)
class Tally:
    """What a run has done."""

    handled: int = 0
    #: Attempts.
    failed: int = 0
    #: Attempts that were ended by an `Outage`.
    outages: int = 0
    dead_letters: int = 0
    first_error: BaseException | None = None
