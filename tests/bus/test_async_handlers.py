from __future__ import annotations

import asyncio
import functools
import threading

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection

from events.bus.memory import OutcomeStatus
from events.bus.timeouts import run_within
from events.context import current_context
from events.exceptions import EventLoopRunning, HandlerTimeout
from events.store.configured import event_store
from tests.factories import cart, item_added, item_removed
from tests.processes import eventually

from .samples import FailingTimes, keep_busy


def from_sync_code(bus, event):
    return bus.publish(event)


def from_async_code(bus, event):
    return asyncio.run(asyncio.wait_for(bus.apublish(event), 30))


@pytest.fixture(params=[from_sync_code, from_async_code])
def publish(request):
    return request.param


def awaiting(function):
    """The async handler that calls a sync one."""

    async def handler(event):
        await asyncio.sleep(0)
        return function(event)

    return handler


async def wait_for_ever(event):
    await asyncio.Event().wait()


def test_sync_and_async_handlers_run_one_after_another_by_priority(bus, publish):
    order = []

    async def slow(event):
        order.append("slow begins")
        await asyncio.sleep(0.01)
        order.append("slow ends")

    bus.subscribe("*", lambda event: order.append("last"), priority=-1)
    bus.subscribe("*", slow, priority=2)
    bus.subscribe("*", awaiting(lambda event: order.append("async")), priority=1)
    bus.subscribe("*", lambda event: order.append("sync"))
    result = publish(bus, item_added())
    assert order == ["slow begins", "slow ends", "async", "sync", "last"]
    assert {outcome.status for outcome in result.outcomes} == {OutcomeStatus.HANDLED}


class AsyncCallable:
    def __init__(self):
        self.handled = []

    async def __call__(self, event):
        await asyncio.sleep(0)
        self.handled.append(event)

    async def handle(self, extra, event):
        await self(event)


@pytest.mark.parametrize(
    "as_handler",
    [
        lambda instance: instance,
        lambda instance: functools.partial(instance.handle, "extra"),
        lambda instance: lambda event, handle=instance: handle(event),
        lambda instance: sync_to_async(instance.handled.append),
    ],
    ids=["callable object", "partial", "lambda", "sync_to_async"],
)
def test_whatever_returns_an_awaitable_is_an_async_handler(bus, publish, as_handler):
    instance = AsyncCallable()
    bus.subscribe("*", as_handler(instance))
    publish(bus, item_added()).raise_for_failures()
    assert len(instance.handled) == 1


def test_async_handlers_are_tried_again_after_pauses(bus, pauses, publish):
    handler = FailingTimes(2)
    bus.subscribe("*", awaiting(handler), retry=2)
    [outcome] = publish(bus, item_added()).outcomes
    assert (outcome.status, outcome.attempts) == (OutcomeStatus.HANDLED, 3)
    assert pauses == pytest.approx([0.1, 0.2])


def test_async_handlers_that_take_too_long_are_cancelled(bus, publish):
    cancelled = []

    async def handle(event):
        try:
            await wait_for_ever(event)
        except asyncio.CancelledError:
            cancelled.append(event)
            raise

    bus.subscribe("*", handle, timeout_seconds=0.02, retry=1)
    [outcome] = publish(bus, item_added()).outcomes
    assert isinstance(outcome.exception, HandlerTimeout)
    assert len(cancelled) == outcome.attempts == 2


def test_sync_handlers_that_take_too_long_are_interrupted_under_async_code(bus):
    finished = []

    def handle(event):
        keep_busy(10)
        finished.append(event)

    bus.subscribe("*", handle, timeout_seconds=0.02)
    [outcome] = from_async_code(bus, item_added()).outcomes
    assert isinstance(outcome.exception, HandlerTimeout)
    assert finished == []


def test_sync_handlers_do_not_hold_up_the_event_loop(bus):
    loop_ran = threading.Event()

    def handle(event):
        assert loop_ran.wait(10)

    bus.subscribe("*", handle)

    async def publish():
        asyncio.get_running_loop().call_later(0.01, loop_ran.set)
        return await bus.apublish(item_added())

    asyncio.run(publish()).raise_for_failures()


def test_middleware_filters_and_error_handlers_can_be_async(bus, publish):
    handled, errors = [], []
    replacement = item_removed()
    bus.use(awaiting(lambda event: replacement))
    bus.on_error(awaiting_error_handler(errors))
    bus.subscribe("*", handled.append, filter=awaiting(lambda event: event is replacement))
    bus.subscribe("*", print, filter=awaiting(lambda event: False))
    bus.subscribe("*", awaiting(FailingTimes(1)))
    result = publish(bus, item_added())
    assert [outcome.status.value for outcome in result.outcomes] == [
        "handled",
        "filtered",
        "failed",
    ]
    assert handled == [replacement]
    assert errors == [(result.outcomes[2].exception, replacement)]


def awaiting_error_handler(errors):
    async def handle(error, event, subscription):
        await asyncio.sleep(0)
        errors.append((error, event))

    return handle


@pytest.mark.parametrize(
    "add",
    [
        lambda bus: bus.subscribe("*", wait_for_ever),
        lambda bus: bus.subscribe("*", print, filter=wait_for_ever),
        lambda bus: bus.use(wait_for_ever),
        lambda bus: bus.on_error(wait_for_ever),
    ],
    ids=["handler", "filter", "middleware", "error handler"],
)
def test_publish_within_an_event_loop_refuses_async_functions_before_any_handler(bus, add):
    handled = []
    bus.subscribe("*", handled.append, priority=1)
    add(bus)

    async def publish():
        bus.publish(item_added())

    with pytest.raises(EventLoopRunning, match=r"wait_for_ever.*apublish"):
        asyncio.run(publish())
    assert handled == []


def test_publish_within_an_event_loop_fails_visibly_for_a_hidden_async_handler(bus):
    bus.subscribe("*", lambda event, handle=wait_for_ever: handle(event))

    async def publish():
        return bus.publish(item_added())

    [outcome] = asyncio.run(publish()).outcomes
    assert isinstance(outcome.exception, EventLoopRunning)


def test_publish_within_an_event_loop_is_fine_for_sync_handlers(bus):
    handled = []
    bus.subscribe("*", handled.append)
    bus.subscribe("tests.ItemRemoved", wait_for_ever)

    async def publish():
        return bus.publish(item_added())

    asyncio.run(publish()).raise_for_failures()
    assert len(handled) == 1


def test_the_context_of_the_event_reaches_all_handlers(bus, publish):
    causes = []
    bus.subscribe("*", lambda event: causes.append(current_context().causation_id))
    bus.subscribe("*", awaiting(lambda event: causes.append(current_context().causation_id)))
    event = item_added()
    publish(bus, event)
    assert causes == [str(event.event_id)] * 2


def test_async_handlers_publish_from_within(bus, publish):
    order = []

    async def first(event):
        order.append("first begins")
        await bus.apublish(item_removed())
        order.append("first ends")

    bus.subscribe("tests.ItemAdded", first)
    bus.subscribe("tests.ItemRemoved", awaiting(lambda event: order.append("inner")))
    bus.subscribe("tests.ItemRemoved", lambda event: order.append("inner sync"))
    publish(bus, item_added()).raise_for_failures()
    assert order == ["first begins", "inner", "inner sync", "first ends"]


def test_sync_handlers_publish_to_async_ones_from_within(bus, publish):
    order = []
    bus.subscribe("tests.ItemAdded", lambda event: bus.publish(item_removed()).raise_for_failures())
    bus.subscribe("tests.ItemRemoved", awaiting(lambda event: order.append("inner")))
    publish(bus, item_added()).raise_for_failures()
    assert order == ["inner"]


def test_a_stop_iteration_is_a_failure_like_any_other(bus):
    bus.subscribe("*", lambda event: next(iter([])))
    [failure] = from_async_code(bus, item_added()).failures
    assert isinstance(failure.exception.__cause__, StopIteration)


def test_a_cancelled_publisher_is_not_answered(bus):
    async def publish():
        bus.subscribe("*", wait_for_ever, retry=5, timeout_seconds=None)
        task = asyncio.create_task(bus.apublish(item_added()))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(publish())
    assert bus.metrics().errors == 0


def test_a_cancelled_publisher_waits_for_the_sync_handler_that_is_running(bus):
    begun, finished = threading.Event(), []

    def handle(event):
        begun.set()
        keep_busy(0.05)
        finished.append(event)
        raise ValueError("that nobody will hear of")

    bus.subscribe("*", handle)
    bus.subscribe("*", finished.append)

    async def publish():
        task = asyncio.create_task(bus.apublish(item_added()))
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(publish())
    assert len(finished) == 1


def test_a_limit_around_sync_publishing_cancels_the_async_handler(bus):
    cancelled = threading.Event()

    async def handle(event):
        try:
            await wait_for_ever(event)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    bus.subscribe("*", handle, timeout_seconds=None)
    with pytest.raises(HandlerTimeout):
        run_within(0.05, bus.publish, item_added())
    eventually(cancelled.is_set)


@pytest.mark.django_db
def test_async_handlers_use_the_connection_of_the_sync_publisher(bus):
    seen = []

    async def handle(event):
        seen.append(await sync_to_async(event_store().stream_version)(cart()))
        seen.append(await sync_to_async(lambda: connection.in_atomic_block)())

    event_store().append(cart(), [item_added()])  # in the transaction of this test
    bus.subscribe("*", handle)
    bus.publish(item_added()).raise_for_failures()
    assert seen == [0, True]


@pytest.mark.django_db
def test_sync_handlers_can_use_the_database_under_async_code(bus):
    seen = []
    bus.subscribe("*", lambda event: seen.append(connection.is_usable()))

    async def publish():
        return await bus.apublish(item_added())

    async_to_sync(publish)().raise_for_failures()
    assert seen == [True]
