"""How far a long command is: a bar, the rate and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.core.management.base import OutputWrapper

_BAR_WIDTH = 30
_SECONDS_BETWEEN_LOOKS = 0.2
#: Where the output is no terminal, but a file that somebody reads later.
_SECONDS_BETWEEN_LINES = 10.0


class ProgressBar:
    """`share` tells how much of the work is done, from 0 to 1. On a terminal it keeps to a line."""

    def __init__(
        self, out: OutputWrapper, share: Callable[[], float], *, unit: str = "events"
    ) -> None:
        self._out = out
        self._share = share
        self._unit = unit
        self._is_terminal = out.isatty()
        self._started = self._shown_at = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def show(self, done: int) -> None:
        """Nothing, if it was called just before."""
        pause = _SECONDS_BETWEEN_LOOKS if self._is_terminal else _SECONDS_BETWEEN_LINES
        if time.monotonic() - self._shown_at >= pause:
            self._write(done)

    def finish(self, done: int) -> None:
        if self._is_terminal:
            self._write(done)
            self._out.write("")

    def rate(self, done: int) -> float:
        """A second."""
        return done / self.seconds if self.seconds else 0.0

    def _write(self, done: int) -> None:
        self._shown_at = time.monotonic()
        share = self._share()
        filled = int(_BAR_WIDTH * share)
        bar = "#" * filled + "-" * (_BAR_WIDTH - filled)
        left = f"{self.seconds / share * (1 - share):,.0f} s left" if share else "? s left"
        text = f"[{bar}] {share:4.0%}  {done:,} {self._unit}, {self.rate(done):,.0f}/s, {left}"
        if self._is_terminal:
            self._out.write(f"\r{text} ", ending="")
            self._out.flush()
        else:
            self._out.write(text)
