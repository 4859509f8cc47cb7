"""The steps of a worker between an event and its checkpoint, at each of which it can be stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from events.delivery import engine, failures, handling
from events.delivery.lanes import Lease


@dataclass(frozen=True, slots=True)
class Step:
    #: Where the function is that makes the step, as (owner, name).
    places: tuple[tuple[Any, str], ...]
    is_behind: bool


_HANDLERS = ((handling, "handle_one"), (engine, "handle_batch"))

STEPS = {
    "attempt counted": Step(_HANDLERS, is_behind=False),
    "effects written": Step(_HANDLERS, is_behind=True),
    "checkpoint written": Step(((Lease, "checkpoint"),), is_behind=True),
    "committed": Step(((Lease, "took_checkpoint"),), is_behind=False),
    "failure written": Step(((failures, "record"),), is_behind=True),
    "retry counted": Step(((failures, "event_of"),), is_behind=False),
    "retry resolved": Step(((failures, "resolve"),), is_behind=True),
}


def stop_at(name: str, occurrence: int, stop: Callable[[], object]) -> None:
    """Has `stop` called when this process comes to the step for the so-manieth time (1, 2, ...)."""
    stop_in(STEPS[name], occurrence, stop)


def stop_in(step: Step, occurrence: int, stop: Callable[[], object]) -> None:
    seen = 0

    def stopping(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal seen
            seen += 1
            is_it = seen == occurrence
            if is_it and not step.is_behind:
                stop()
            result = function(*arguments, **options)
            if is_it and step.is_behind:
                stop()
            return result

        return call

    for owner, attribute in step.places:
        setattr(owner, attribute, stopping(getattr(owner, attribute)))
