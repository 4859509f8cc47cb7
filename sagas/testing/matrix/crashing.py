"""A process that ends at a chosen commit: just before it, so that nothing of it is there, or just
after it, so that nobody remembers it.

Only outermost transactions count; those that Django's tests put around themselves don't.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any
from unittest import mock

from django.db.transaction import Atomic, get_connection
from django.utils import timezone

from events.conf import events_settings
from events.models import Lane

from ..faults import Commit, Fault, Kind
from .injection import Injection, Leg


class Crash(BaseException):
    """The process ends here. No error handling of anybody's sees it."""


class Commits:
    """Is told what is written in the open transaction, and ends the process at the chosen one."""

    def __init__(self, injection: Injection) -> None:
        self._injection = injection
        self._crash: Fault | None = None

    def note(self, commit: Commit, leg: Leg) -> None:
        """The transaction that is open, or opened next, is the commit of this."""
        fault = self._injection.at(leg, Kind.CRASH_BEFORE, Kind.CRASH_AFTER)
        if fault and fault.commit is commit and fault not in self._injection.reached:
            self._crash = fault

    @contextmanager
    def watched(self) -> Iterator[None]:
        leave = Atomic.__exit__

        def leave_or_crash(
            atomic: Any,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> None:
            if not _is_outermost(atomic):
                return leave(atomic, kind, error, traceback)
            fault, self._crash = self._crash, None
            if fault is None or kind is not None:
                return leave(atomic, kind, error, traceback)
            self._injection.reached.add(fault)
            crash = Crash(str(fault))
            if fault.kind is Kind.CRASH_BEFORE:
                leave(atomic, Crash, crash, None)
            else:
                leave(atomic, None, None, None)
            raise crash

        with mock.patch.object(Atomic, "__exit__", leave_or_crash):
            yield


def _is_outermost(atomic: Any) -> bool:
    connection = get_connection(atomic.using)
    if connection.alias != events_settings().database or atomic._from_testcase:
        return False
    return all(outer._from_testcase for outer in connection.atomic_blocks[:-1])


def bury() -> None:
    """Leases of the dead process are over: others take its work."""
    lanes = Lane.objects.using(events_settings().database)
    lanes.exclude(token=None).update(leased_until=timezone.now())
