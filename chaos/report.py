"""What was done to the victims, and what became of their work."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass(slots=True, kw_only=True)
class Outcome:
    #: By step: kills that were planned there, and those for which the victim had come so far.
    injected: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    events: int = 0
    #: What should have been had for them.
    effects: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    #: Streams that are still blocked, lanes that haven't come to the end.
    unfinished: int = 0
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        return not (self.lost or self.doubled or self.out_of_order or self.unfinished)

    def show(self) -> None:
        kills = kills_table(self.injected, self.reached)
        result = Table("events", "effects", "lost", "doubled", "out of order", "unfinished", "s")
        figures = (self.events, self.effects, self.lost, self.doubled, self.out_of_order)
        result.add_row(*map(str, (*figures, self.unfinished, round(self.seconds))))
        Console().print(kills, result, "All holds." if self.holds else "It does NOT hold.")


def kills_table(injected: Counter[str], reached: Counter[str]) -> Table:
    kills = Table("killed when", "injected", "reached", show_edge=False)
    for step, count in injected.items():
        kills.add_row(step, str(count), str(reached[step]))
    kills.add_section()
    kills.add_row("in all", str(injected.total()), str(reached.total()))
    return kills
