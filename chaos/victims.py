"""Workers that are killed: at a step that they have been told, or wherever they are."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from tests.processes import OtherProcess, new_event

ANYWHERE = "anywhere"
#: For a victim to come to its step; then it is killed where it is.
PATIENCE_SECONDS = 4.0


class Victim:
    """A worker, and after its death the next one."""

    def __init__(
        self, work: Callable[..., object], plan: object, steps: Sequence[str], chance: random.Random
    ) -> None:
        """`work(plan, step, occurrence, reached, is_done)` runs in its process."""
        self.work = work
        self.plan = plan
        self.steps = steps
        self.chance = chance
        self._never = new_event()
        self.start()

    def start(self) -> None:
        self.step = self.chance.choice(self.steps)
        self._reached = new_event()
        self._process = OtherProcess(
            self.work, self.plan, self.step, self.chance.randint(1, 3), self._reached, self._never
        )
        is_anywhere = self.step == ANYWHERE
        patience = self.chance.uniform(0.05, 1.0) if is_anywhere else PATIENCE_SECONDS
        self._killed_at = time.monotonic() + patience

    @property
    def has_reached_it(self) -> bool:
        return self.step == ANYWHERE or bool(self._reached.is_set())

    @property
    def is_due(self) -> bool:
        if self._process.has_ended:
            self._process.result()  # raises what has ended it
        return self._reached.is_set() or time.monotonic() >= self._killed_at

    def kill(self) -> None:
        self._process.kill()
