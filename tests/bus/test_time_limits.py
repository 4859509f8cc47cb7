from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from events.bus.timeouts import run_within
from events.exceptions import EventsError, HandlerTimeout, InvalidInput
from tests.processes import OtherProcess, running

from .samples import in_new_thread, in_this_thread, keep_busy


@pytest.fixture(params=[in_this_thread, in_new_thread])
def run(request):
    """Calls a function in the main thread, which has signals, or in one that has none."""
    return request.param


def test_code_that_takes_too_long_is_interrupted(run):
    reached = []

    def handle():
        keep_busy(10)
        reached.append("the end")

    started = time.monotonic()
    with pytest.raises(HandlerTimeout) as timeout:
        run(lambda: run_within(0.02, handle))

    assert time.monotonic() - started < 5
    assert reached == []
    assert timeout.value.seconds == 0.02
    assert isinstance(timeout.value, EventsError)
    assert isinstance(timeout.value, TimeoutError)


def test_what_is_done_in_time_is_left_alone(run):
    def handle(*numbers, divisor):
        return sum(numbers) / divisor

    assert run(lambda: run_within(10, handle, 1, 2, divisor=2)) == 1.5
    with pytest.raises(ZeroDivisionError):
        run(lambda: run_within(10, handle, 1, divisor=0))


def test_none_is_no_limit(run):
    assert run(lambda: run_within(None, keep_busy, 0.01)) == "done"


def test_the_cause_shows_where_the_time_went(run):
    with pytest.raises(HandlerTimeout) as timeout:
        run(lambda: run_within(0.02, keep_busy, 10))
    functions = []
    traceback = timeout.value.__cause__.__traceback__
    while traceback is not None:
        functions.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    assert "keep_busy" in functions


def test_a_handler_cannot_catch_the_interruption_by_accident(run):
    def handle():
        for _ in range(100):
            try:
                keep_busy(10)
            except Exception:
                continue

    with pytest.raises(HandlerTimeout):
        run(lambda: run_within(0.02, handle))


def test_a_handler_that_ignores_the_interruption_has_failed_all_the_same(run):
    def handle():
        try:
            keep_busy(10)
        except BaseException:
            return "fine"

    with pytest.raises(HandlerTimeout):
        run(lambda: run_within(0.02, handle))


def test_what_a_handler_makes_of_the_interruption_does_not_hide_it(run):
    def handle():
        try:
            keep_busy(10)
        except BaseException as error:
            raise ValueError("wrapped") from error

    with pytest.raises(HandlerTimeout) as timeout:
        run(lambda: run_within(0.02, handle))
    assert isinstance(timeout.value.__cause__, ValueError)


def test_cleaning_up_is_not_interrupted_again(run):
    cleaned = []

    def handle():
        try:
            keep_busy(10)
        finally:
            keep_busy(0.05)
            cleaned.append("all")

    with pytest.raises(HandlerTimeout):
        run(lambda: run_within(0.02, handle))
    assert cleaned == ["all"]


def test_a_limit_around_ends_what_has_time_left(run):
    went_on = []

    def outer():
        try:
            run_within(10, keep_busy, 10)
        except Exception:
            went_on.append("as if only the inner one had failed")

    with pytest.raises(HandlerTimeout) as timeout:
        run(lambda: run_within(0.02, outer))
    assert timeout.value.seconds == 0.02
    assert went_on == []


def test_a_limit_within_leaves_the_rest_of_the_time(run):
    def outer():
        with pytest.raises(HandlerTimeout) as timeout:
            run_within(0.01, keep_busy, 10)
        assert timeout.value.seconds == 0.01
        with pytest.raises(HandlerTimeout):
            run_within(0.02, keep_busy, 10)
        return keep_busy(0.01)

    assert run(lambda: run_within(10, outer)) == "done"


def test_a_limit_around_is_still_there_after_one_within(run):
    def outer():
        with pytest.raises(HandlerTimeout):
            run_within(0.01, keep_busy, 10)
        run_within(10, keep_busy, 0.001)
        keep_busy(10)

    with pytest.raises(HandlerTimeout) as timeout:
        run(lambda: run_within(0.05, outer))
    assert timeout.value.seconds == 0.05


def test_a_limit_around_that_was_ignored_within_ends_all_the_same(run):
    steps = []

    def ignore():
        try:
            keep_busy(10)
        except BaseException:
            steps.append("ignored")

    def outer():
        run_within(10, ignore)
        steps.append("went on")

    with pytest.raises(HandlerTimeout) as timeout:
        run(lambda: run_within(0.02, outer))
    assert timeout.value.seconds == 0.02
    assert steps == ["ignored"]


def test_cleaning_up_can_set_limits_of_its_own(run):
    cleaned = []

    def outer():
        try:
            keep_busy(10)
        finally:
            cleaned.append(run_within(10, keep_busy, 0.001))
            cleaned.append(run_within(10, keep_busy, 0.001))

    with pytest.raises(HandlerTimeout):
        run(lambda: run_within(0.02, outer))
    assert cleaned == ["done", "done"]


def test_a_blocking_call_is_interrupted_in_the_main_thread():
    started = time.monotonic()
    with pytest.raises(HandlerTimeout):
        run_within(0.02, threading.Event().wait, 10)
    assert time.monotonic() - started < 5


def test_each_thread_has_its_own_limit():
    barrier = threading.Barrier(4)
    answers = {}

    def handle(limit_seconds, seconds):
        barrier.wait()
        try:
            answers[seconds] = run_within(limit_seconds, keep_busy, seconds)
        except HandlerTimeout as timeout:
            answers[seconds] = timeout.seconds

    threads = [
        threading.Thread(target=handle, args=arguments)
        for arguments in [(10, 0.01), (0.02, 10), (0.03, 11), (10, 0.1)]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {0.01: "done", 10: 0.02, 11: 0.03, 0.1: "done"}


def test_a_short_limit_set_after_a_long_one_is_kept():
    in_new_thread(lambda: run_within(1000, keep_busy, 0))
    with pytest.raises(HandlerTimeout):
        in_new_thread(lambda: run_within(0.02, keep_busy, 10))


def _traced_after_a_limit_in_a_thread() -> None:
    with pytest.raises(HandlerTimeout):
        in_new_thread(lambda: run_within(0.02, keep_busy, 10))
    with pytest.raises(HandlerTimeout):
        in_new_thread(lambda: run_within(0.02, time.sleep, 0.05))
    sys.settrace(lambda *_: None)
    keep_busy(0.01)
    sys.settrace(None)


def test_code_can_be_traced_after_a_limit_in_a_thread():
    with running(_traced_after_a_limit_in_a_thread) as process:
        process.result(timeout_seconds=20)


def _limit_in_a_forked_thread() -> str:
    """In a process forked from one whose threads have limits."""
    in_new_thread(lambda: run_within(10, keep_busy, 0))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            in_new_thread(lambda: run_within(0.02, keep_busy, 10))
        except BaseException as error:
            os.write(writer, type(error).__name__.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    return os.read(reader, 100).decode()


def test_threads_of_a_forked_process_have_limits_too():
    # Another process, so that this one, which has more threads, needn't be forked.
    process = OtherProcess(_limit_in_a_forked_thread)
    assert process.result(30) == "HandlerTimeout"


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "5", 10**400])
def test_what_is_no_time_to_wait_is_refused(seconds):
    with pytest.raises(InvalidInput) as refusal:
        run_within(seconds, keep_busy, 0)
    assert refusal.value.field == "seconds"
