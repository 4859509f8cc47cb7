"""Work that goes on in a thread while what is done already is used: a file is read on, while the
database writes."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

ValueT = TypeVar("ValueT")

_SECONDS_BETWEEN_LOOKS = 0.1
#: As long as this, whoever has waited for the database waits for the thread to let it go on. It is
#: five times as long by default, many times a batch.
_SWITCH_SECONDS = 0.001


def made_ahead(values: Iterable[ValueT], most: int = 1) -> Generator[ValueT]:
    """The same values in their order, of which at most so many wait. What the iterable raises is
    raised here, behind the values before it. Close it, and the thread has ended."""
    waiting: queue.Queue[tuple[ValueT] | BaseException | None] = queue.Queue(most)
    is_closed = threading.Event()

    def put(made: tuple[ValueT] | BaseException | None) -> None:
        while not is_closed.is_set():
            try:
                return waiting.put(made, timeout=_SECONDS_BETWEEN_LOOKS)
            except queue.Full:
                continue

    def make() -> None:
        try:
            for value in values:
                put((value,))
                if is_closed.is_set():
                    return
        except BaseException as error:  # to be raised where it is waited for
            put(error)
        else:
            put(None)

    thread = threading.Thread(target=make, name="events-read-ahead", daemon=True)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, _SWITCH_SECONDS))
    thread.start()
    try:
        while (made := waiting.get()) is not None:
            if isinstance(made, BaseException):
                raise made
            yield made[0]
    finally:
        is_closed.set()
        thread.join()
        sys.setswitchinterval(usual)
