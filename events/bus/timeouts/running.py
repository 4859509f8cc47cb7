"""Runs a function, or awaits something, within a time limit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from ...exceptions import HandlerTimeout, InvalidInput
from .alarm import AlarmLimit, is_usable_here
from .limit import HandlerInterrupted, Limit
from .watchdog import WatchedLimit

Parameters = ParamSpec("Parameters")
ResultT = TypeVar("ResultT")


class _Thread(threading.local):
    innermost: Limit | None = None


_thread = _Thread()


def check_time_limit(field: str, seconds: float | None) -> None:
    """Refuses what isn't a time to wait. None is no limit."""
    if seconds is None:
        return
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise InvalidInput(field, f"expected seconds or None, got {type(seconds).__name__}")
    if not 0 < seconds <= threading.TIMEOUT_MAX:
        raise InvalidInput(field, f"{seconds} isn't a time to wait, in seconds")


def run_within(
    seconds: float | None,
    function: Callable[Parameters, ResultT],
    /,
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> ResultT:
    """Calls the function. Raises HandlerTimeout if it takes longer; the cause is where it was.

    Limits nest, and go together with timers and handlers that the host has set for SIGALRM.

    A function and no context manager: `__exit__` can be interrupted before its first line, and
    nothing would be left to tidy up. Here, no interruption comes after the outermost limit, since

    1. a limit interrupts at most once, and not after its `stop` has come to its end;
    2. a `stop` that is cut short was so by the interruption of a limit that had not ended either,
       which is used up now. What it left undone is done by the next `stop` outwards. So if even
       the outermost was cut short, there were as many interruptions as limits: none is left;
    3. all of this lies within the `try` of the outermost.
    """
    if seconds is None:
        return function(*args, **kwargs)
    check_time_limit("seconds", seconds)
    enclosing = _thread.innermost
    limit = (AlarmLimit if is_usable_here() else WatchedLimit)(seconds, enclosing)
    try:
        _thread.innermost = limit
        try:
            limit.start()
            result = function(*args, **kwargs)
        finally:
            limit.stop()
    except (Exception, HandlerInterrupted) as error:
        limit.settle(error)
        raise
    finally:
        _thread.innermost = enclosing
    limit.settle(None)
    return result


async def await_within(seconds: float | None, awaitable: Awaitable[ResultT]) -> ResultT:
    """As `run_within`, of async code: it is cancelled where it awaits."""
    if seconds is None:
        return await awaitable
    check_time_limit("seconds", seconds)
    try:
        async with asyncio.timeout(seconds) as scope:
            result = await awaitable
    except Exception as error:
        if scope.expired():
            raise HandlerTimeout(seconds) from error
        raise
    if scope.expired():
        raise HandlerTimeout(seconds)
    return result
