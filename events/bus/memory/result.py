"""What came of publishing one event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from .subscription import AnyEvent, Subscription


class OutcomeStatus(Enum):
    HANDLED = "handled"
    FILTERED = "filtered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one subscription."""

    subscription: Subscription
    status: OutcomeStatus
    attempts: int
    #: Of the last attempt, where that failed too.
    exception: Exception | None = None
    #: Of error handlers that failed themselves.
    error_handler_exceptions: tuple[Exception, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishResult:
    """One outcome for each subscription that the event matched, in the order of handling."""

    event: AnyEvent
    outcomes: tuple[Outcome, ...]

    @property
    def failures(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.status is OutcomeStatus.FAILED)

    def raise_for_failures(self) -> None:
        """Raises an ExceptionGroup of all that handlers and error handlers have raised, if any."""
        if self.failures:
            names = ", ".join(outcome.subscription.name for outcome in self.failures)
            raise ExceptionGroup(
                f"{self.event.event_type} failed in {len(self.failures)} of {len(self.outcomes)} "
                f"subscriptions: {names}",
                list(self._exceptions()),
            )

    def _exceptions(self) -> Iterator[Exception]:
        for outcome in self.failures:
            if outcome.exception is not None:
                yield outcome.exception
            yield from outcome.error_handler_exceptions
