"""Stands between those who send commands and the command bus, and lets them go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import transaction

from events.command_bus import command_bus
from events.command_records import CommandResult
from events.conf import events_settings
from events.exceptions import CommandRefused
from events.messages import Command

from ..faults import Commit, Kind
from .crashing import Commits
from .injection import InjectedFailure, InjectedRefusal, Injection, Leg

#: The leg that is handled now, if it is one of the saga, and which attempt it is.
Current = Callable[[], tuple[Leg, int] | None]


class FaultyBus:
    """Commands of other sagas pass it unharmed."""

    def __init__(self, injection: Injection, commits: Commits, current: Current) -> None:
        self._injection = injection
        self._commits = commits
        self._current = current

    def asks_first(self, command_class: type[Command]) -> bool:
        return command_bus.asks_first(command_class)

    def recall(self, command: Command, command_id: UUID) -> CommandResult | None:
        return command_bus.recall(command, command_id)

    def ask(self, command: Command) -> Any:
        current = self._current()
        if current is None:
            return command_bus.ask(command)
        leg, attempt = current
        self._raise_instead(leg, attempt)
        outcome = command_bus.ask(command)
        if self._injection.hits(leg, Kind.BREAKS_OFF, attempt=attempt):
            raise InjectedFailure(f"{leg[0]} breaks off behind the other system.")
        if self._injection.at(leg, Kind.EXECUTED_TWICE):
            with self._again():
                outcome = command_bus.ask(command)
        return outcome

    def dispatch(self, command: Command, *, command_id: UUID, **options: Any) -> CommandResult:
        current = self._current()
        if current is None:
            return command_bus.dispatch(command, command_id=command_id, **options)
        leg, attempt = current
        if not command_bus.asks_first(type(command)):
            self._raise_instead(leg, attempt)
        elif "outcome" not in options and self._is_to_come(leg):
            options["outcome"] = self.ask(command)
        self._commits.note(Commit.EFFECTS, leg)
        result = command_bus.dispatch(command, command_id=command_id, **options)
        if self._injection.hits_first(leg, Kind.EXECUTED_TWICE):
            self._execute_again(command, command_id, options)
        return result

    def _raise_instead(self, leg: Leg, attempt: int) -> None:
        if self._injection.hits(leg, Kind.REJECTED, attempt=attempt):
            raise InjectedRefusal(f"{leg[0]} is refused.")
        if self._injection.hits(leg, Kind.FAILS, attempt=attempt):
            raise InjectedFailure(f"{leg[0]} fails.")

    def _is_to_come(self, leg: Leg) -> bool:
        """Afterwards a repetition is answered from its record, as ever, and asks nobody."""
        return any(
            (fault.step, fault.direction) == leg
            and (fault not in self._injection.reached or not fault.commit)
            for fault in self._injection.faults
        )

    def _execute_again(self, command: Command, command_id: UUID, options: Any) -> None:
        """Beside the record of the first time."""
        with self._again(), transaction.atomic(using=events_settings().database):
            command_bus.dispatch(command, command_id=command_id, **{**options, "joins": True})

    @contextmanager
    def _again(self) -> Iterator[None]:
        """That it is refused is fine: no effect. Any other error would be taken for that of an
        attempt, which can be made again: the case remembers it."""
        try:
            yield
        except CommandRefused:
            pass
        except Exception as error:
            self._injection.raised_again.append(error)
