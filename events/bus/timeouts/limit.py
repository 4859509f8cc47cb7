"""What the two kinds of time limit have in common. Run by `running`."""

from __future__ import annotations

from time import monotonic

from ...exceptions import HandlerTimeout


class HandlerInterrupted(SystemExit):
    """Raised in the midst of code whose time is up; never leaves `run_within`.

    Not an Exception, or a handler's `except Exception` would end it there. Of SystemExit's kind,
    because that is let through and cleaned up after where other unknown exceptions are not:
    psycopg 3 then cancels the running statement, which leaves the connection fit for the rollback.
    """


class Limit:
    """One call of `run_within`."""

    def __init__(self, seconds: float, enclosing: Limit | None) -> None:
        self.seconds = seconds
        self.deadline = monotonic() + seconds
        self.enclosing = enclosing
        #: Its interruption has been sent.
        self.expired = False
        self._was_hopeless = self._is_hopeless()

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        """Does nothing where it wasn't started, or was stopped."""
        raise NotImplementedError

    def settle(self, error: BaseException | None) -> None:
        """Raises what the caller is to see, if the time was up.

        An interruption doesn't tell whose it is, and one may have taken the place of another or
        have been caught. So that of a limit further out goes first; it ends this one as well.
        """
        if self._is_hopeless() and not self._was_hopeless:
            raise HandlerInterrupted from error
        if self.expired:
            raise HandlerTimeout(self.seconds) from error

    def _is_hopeless(self) -> bool:
        limit = self.enclosing
        while limit is not None and not limit.expired:
            limit = limit.enclosing
        return limit is not None
