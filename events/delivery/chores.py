"""What workers do beside handling events, such as looking for timers that are due."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

#: Does what is due, in transactions of its own, and says whether there was anything. Every worker
#: calls it about twice a second, several at the same time.
Chore: TypeAlias = Callable[[], bool]

_chores: list[Chore] = []


def add_chore(chore: Chore) -> None:
    if chore not in _chores:
        _chores.append(chore)


def do_chores() -> bool:
    """All of them, whatever becomes of the others; then the first error is raised. Whether there
    was anything to do."""
    worked, first_error = False, None
    for chore in _chores:
        try:
            worked = chore() or worked
        except Exception as error:
            first_error = first_error or error
    if first_error is not None:
        raise first_error
    return worked
