from __future__ import annotations

import asyncio

import pytest

from events.bus.timeouts import await_within
from events.exceptions import HandlerTimeout, InvalidInput


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


async def answer() -> str:
    await asyncio.sleep(0)
    return "done"


def test_code_that_takes_too_long_is_cancelled():
    cancelled = []

    async def handle():
        try:
            await wait_for_ever()
        except asyncio.CancelledError:
            cancelled.append("here")
            raise

    with pytest.raises(HandlerTimeout) as timeout:
        asyncio.run(await_within(0.02, handle()))
    assert cancelled == ["here"]
    assert timeout.value.seconds == 0.02


def test_what_is_done_in_time_is_left_alone():
    assert asyncio.run(await_within(10, answer())) == "done"
    assert asyncio.run(await_within(None, answer())) == "done"


def test_a_timeout_of_the_handler_itself_is_its_own_error():
    async def handle():
        raise TimeoutError("of a remote service")

    with pytest.raises(TimeoutError, match="remote") as error:
        asyncio.run(await_within(10, handle()))
    assert not isinstance(error.value, HandlerTimeout)


def test_code_that_ignores_the_cancellation_has_failed_all_the_same():
    async def handle():
        try:
            await wait_for_ever()
        except asyncio.CancelledError:
            return "fine"

    with pytest.raises(HandlerTimeout):
        asyncio.run(await_within(0.02, handle()))


def test_a_cancellation_from_outside_stays_one():
    async def cancel_from_outside():
        task = asyncio.create_task(await_within(10, wait_for_ever()))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel_from_outside())


def test_a_limit_around_ends_what_has_time_left():
    went_on = []

    async def outer():
        try:
            await await_within(10, wait_for_ever())
        except Exception:
            went_on.append("as if only the inner one had failed")

    with pytest.raises(HandlerTimeout) as timeout:
        asyncio.run(await_within(0.02, outer()))
    assert timeout.value.seconds == 0.02
    assert went_on == []


def test_what_is_no_time_to_wait_is_refused():
    async def handle():
        coroutine = answer()
        try:
            await await_within(0, coroutine)
        finally:
            coroutine.close()

    with pytest.raises(InvalidInput, match="seconds"):
        asyncio.run(handle())
