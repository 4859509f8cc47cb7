"""A lane as one worker last saw it, and what of the newest events is for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..bus.subscription import Effects, Subscription
from ..recorded_event import RecordedEvent
from ..store.reading import lane_of
from .claims import Attempt


@dataclass(slots=True, kw_only=True)
class KnownLane:
    subscription: Subscription
    number: int
    of: int
    #: No event up to here has anything to do with it, or it was handled.
    seen: int
    checkpoint: int
    #: When an operator changed something.
    changed_at: datetime | None
    #: In `monotonic()`.
    not_before: float = 0.0
    has_due_retries: bool = False
    #: The events behind `seen`, up to the mark, if they have been read.
    backlog: list[RecordedEvent] | None = None
    #: No event is failed as long as so many attempts have.
    clean_at: int | None = None

    def is_known_up_to(self, position: int) -> bool:
        """Which events up to there are for it and not handled yet."""
        return self.seen >= position or self.backlog is not None

    def take(self, events: Sequence[RecordedEvent] | None, mark: int) -> None:
        """The next events, up to the mark. None if nobody has read them."""
        if events is None:
            self.backlog = None
            return
        mine = [event for event in events if event.position > self.seen and self._is_for(event)]
        self.backlog = [*(self.backlog or ()), *mine] or None
        if self.backlog is None:
            self.seen = max(self.seen, mark)

    def _is_for(self, event: RecordedEvent) -> bool:
        return (
            any(criterion.matches(event) for criterion in self.subscription.criteria)
            and (self.of == 1 or lane_of(event.stream, self.of) == self.number)
            and not self._is_filtered_out(event)
        )

    def _is_filtered_out(self, event: RecordedEvent) -> bool:
        try:
            return self.subscription.filter is not None and not self.subscription.filter(event)
        except Exception:
            return False  # it will fail again, where that is recorded

    def first_attempt(self) -> Attempt | None:
        """For its claim to begin, where the events are known and a commit confirms it: nothing can
        be taken back of what is done to other systems."""
        if not self.backlog or self.subscription.effects is Effects.EXTERNAL:
            return None
        first_batch = self.backlog[: self.subscription.batch_size]
        return Attempt(
            checkpoint=self.checkpoint,
            passed_over=first_batch[0].position - 1,
            attempted_to=first_batch[-1].position,
        )
