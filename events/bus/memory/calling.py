"""One order of things for sync and async code.

`publication` says as a generator what is to be called and how long to pause, and gets back what
the call returned or raised; `perform` and `perform_async` do it.

asgiref, which comes with Django, bridges the two worlds: what async code does with the database
under a sync `publish` happens in the thread, and so on the connection, of the caller.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async

from ...exceptions import EventLoopRunning
from ..timeouts import await_within, run_within

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Call:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    timeout_seconds: float | None


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Steps: TypeAlias = Generator[Call | Pause, Any, ResultT]


def name_of(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", None) or repr(function)


def is_async(function: Callable[..., Any]) -> bool:
    """Whether it says so. Others, such as lambdas, are known by the awaitable that they return."""
    return iscoroutinefunction(function) or iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004
    )


def is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def perform(steps: Steps[ResultT], sleep: Callable[[float], object]) -> ResultT:
    """Does the steps in this thread."""
    proceed, answer = steps.send, None
    while True:
        try:
            step = proceed(answer)
        except StopIteration as end:
            result: ResultT = end.value
            return result
        try:
            proceed, answer = steps.send, _perform(step, sleep)
        except Exception as error:
            proceed, answer = steps.throw, error


async def perform_async(
    steps: Steps[ResultT], sleep: Callable[[float], Awaitable[object]]
) -> ResultT:
    """Does the steps in this task; sync functions run where Django runs sync code of this task."""
    proceed, answer = steps.send, None
    while True:
        try:
            step = proceed(answer)
        except StopIteration as end:
            result: ResultT = end.value
            return result
        try:
            proceed, answer = steps.send, await _perform_async(step, sleep)
        except Exception as error:
            proceed, answer = steps.throw, error


def _perform(step: Call | Pause, sleep: Callable[[float], object]) -> Any:
    if isinstance(step, Pause):
        return sleep(step.seconds)
    value = _call(step)
    if inspect.isawaitable(value):
        return _wait_for(value, step)
    return value


async def _perform_async(step: Call | Pause, sleep: Callable[[float], Awaitable[object]]) -> Any:
    if isinstance(step, Pause):
        return await sleep(step.seconds)
    if is_async(step.function):
        value = step.function(*step.arguments)
    else:
        value = await _to_the_end(_call_in_thread(step))
    if inspect.isawaitable(value):
        return await await_within(step.timeout_seconds, value)
    return value


def _call(call: Call) -> Any:
    try:
        return run_within(call.timeout_seconds, call.function, *call.arguments)
    except StopIteration as error:
        # Means something else to generators, and a future can't hold it.
        raise RuntimeError(f"{name_of(call.function)} raised StopIteration") from error


_call_in_thread = sync_to_async(_call)


async def _to_the_end(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Waits for what runs in a thread, even if cancelled: it can't be, and would go on unseen."""
    running = asyncio.ensure_future(coroutine)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.gather(running, return_exceptions=True)
        raise


def _wait_for(awaitable: Awaitable[Any], call: Call) -> Any:
    if is_in_event_loop():
        if inspect.iscoroutine(awaitable):
            awaitable.close()
        raise EventLoopRunning(name_of(call.function))
    cancellations: list[Callable[[], object]] = []

    async def wait() -> Any:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is not None:
            cancellations.append(partial(loop.call_soon_threadsafe, task.cancel))
        return await await_within(call.timeout_seconds, awaitable)

    try:
        return async_to_sync(wait)()
    except Exception:
        raise
    except BaseException:
        # This thread was interrupted, by a limit around it or by Ctrl-C, but not that of the loop.
        for cancel in cancellations:
            with suppress(RuntimeError):  # closed meanwhile
                cancel()
        raise
