"""How often a failed handler is tried again, and how long it is left alone before that."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..exceptions import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential back-off with a cap and jitter. Delays are in seconds.

    Jitter keeps those that failed together from coming back together. That a random share of the
    whole delay ("full jitter") costs the least work in all is measured in: Marc Brooker,
    "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    #: All of them, the first one too: 1 is no retry.
    attempts: int = 4
    first_delay_seconds: float = 0.1
    factor: float = 2.0
    max_delay_seconds: float = 60.0
    #: The share of a delay that is random: 1 is full jitter (anything from zero to the delay),
    #: 0.5 is equal jitter (from half of it), 0 is none.
    jitter: float = 1.0
    #: Errors that no further attempt can help. They end the attempts at once, and don't count as
    #: signs of an outage.
    never_for: tuple[type[Exception], ...] = ()

    def __post_init__(self) -> None:
        if type(self.attempts) is not int or self.attempts < 1:
            raise InvalidInput("attempts", f"expected an int of at least 1, got {self.attempts!r}")
        _check("first_delay_seconds", self.first_delay_seconds, 0, threading.TIMEOUT_MAX)
        _check("factor", self.factor, 1, 1000)
        _check(
            "max_delay_seconds",
            self.max_delay_seconds,
            self.first_delay_seconds,
            threading.TIMEOUT_MAX,
        )
        _check("jitter", self.jitter, 0, 1)
        _check_classes("never_for", self.never_for)

    def is_final(self, error: BaseException) -> bool:
        return isinstance(error, self.never_for)

    def is_used_up(self, error: BaseException, failed_attempts: int) -> bool:
        """Whether no attempt follows this error, which was that of the last of so many."""
        return failed_attempts >= self.attempts or self.is_final(error)

    def delay_seconds(
        self, failed_attempts: int, *, uniform: Callable[[float, float], float] = random.uniform
    ) -> float:
        """How long to wait before the next attempt, after so many (1, 2, ...) have failed."""
        if failed_attempts < 1:
            raise InvalidInput("failed_attempts", f"expected at least 1, got {failed_attempts}")
        try:
            delay = self.first_delay_seconds * self.factor ** (failed_attempts - 1)
        except OverflowError:
            delay = self.max_delay_seconds
        delay = min(delay, self.max_delay_seconds)
        return uniform(delay * (1 - self.jitter), delay)


def _check(field: str, value: Any, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(field, f"expected a number, got {type(value).__name__}")
    if not least <= value <= most:
        raise InvalidInput(field, f"{value} isn't between {least:g} and {most:g}")


def _check_classes(field: str, value: Any) -> None:
    if not isinstance(value, tuple) or not all(
        isinstance(each, type) and issubclass(each, Exception) for each in value
    ):
        raise InvalidInput(field, f"expected a tuple of exception classes, got {value!r:.60}")
