"""What became of the demo's commands, and the events that the log got meanwhile."""

from __future__ import annotations

import time
from collections import Counter
from uuid import UUID

from demo.cluster import handled
from events.command_bus import command_bus
from events.command_records import CommandResult
from events.exceptions import CommandRefused
from events.messages import Command
from events.store.configured import event_store


class Tally:
    """Dispatches commands and counts them by type and outcome, from its making on."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        #: Answered from the record of the same command.
        self.replayed: Counter[str] = Counter()
        self._handled_before = handled()
        self._mark = event_store().high_water_mark()
        self._started = time.perf_counter()

    def dispatch(self, command: Command, *, command_id: UUID | None = None) -> CommandResult | None:
        """The bus's answer; None where the command was refused."""
        try:
            result = command_bus.dispatch(command, command_id=command_id)
        except CommandRefused:
            self.refused[command.command_type] += 1
            return None
        (self.replayed if result.replayed else self.done)[command.command_type] += 1
        return result

    def seconds(self) -> float:
        return time.perf_counter() - self._started

    def handled(self) -> Counter[str]:
        """Events by subscription, since the tally began."""
        return Counter(handled()) - Counter(self._handled_before)

    def events(self) -> Counter[str]:
        """By type, those in the log since the tally began."""
        log = event_store().read_log(from_position=self._mark + 1)
        return Counter(recorded.event_type for recorded in log)
