"""Time limits that end the code that exceeds them, so that its transaction is rolled back.

Used around handlers by `memory`. No thread is left behind running: the code itself is interrupted,
by SIGALRM in the main thread and by an asynchronous exception in any other. What this can't do:

- A call into C code ends first where it neither returns to Python nor looks for signals: psycopg 2
  waiting for its server, a long regular expression; outside of the main thread also `time.sleep`
  and psycopg 3. `statement_timeout` bounds what a database does.
- Code that catches the interruption and goes on isn't interrupted twice; Python itself does so
  where it runs a finalizer. That shows when the function returns: past its limit it has failed,
  whatever it returned.
- The interruption can hit a commit halfway: open the transaction outside of the limit.
- Code that takes SIGALRM for itself within a limit switches the limit off.
- Only one thread runs Python at a time: where another doesn't let go, a limit is late.
"""

from __future__ import annotations

from .running import await_within, check_time_limit, run_within

__all__ = ["await_within", "check_time_limit", "run_within"]
