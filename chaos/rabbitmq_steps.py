"""The steps of relays and consumers, at each of which they can be stopped."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from events.rabbitmq import feeds, handling, inbox, publishing, receiving

#: Where the function is that makes the step, and whether it is stopped behind it.
RELAY_STEPS: dict[str, tuple[Any, str, bool]] = {
    "published": (publishing._Batch, "_send", True),
    "confirmed": (publishing._Batch, "publish", True),
}
CONSUMER_STEPS: dict[str, tuple[Any, str, bool]] = {
    "claimed": (inbox, "claim", True),
    "effects written": (handling, "handle_batch", True),
    "effect written": (handling, "handle_one", True),
    "retry confirmed": (publishing._Batch, "publish", True),
    "committed": (feeds.Feed, "_acknowledge", False),
    "acknowledged": (feeds.Feed, "_acknowledge", True),
    "received": (receiving.Receiving, "_store", True),
}
STEPS = RELAY_STEPS | CONSUMER_STEPS


def stop_at(name: str, occurrence: int, stop: Callable[[], object]) -> None:
    """Has `stop` called when this process comes to the step for the so-manieth time (1, 2, ...)."""
    owner, attribute, is_behind = STEPS[name]
    function = getattr(owner, attribute)
    seen = 0

    @wraps(function)
    def stopping(*arguments: Any, **options: Any) -> Any:
        nonlocal seen
        seen += 1
        is_it = seen == occurrence
        if is_it and not is_behind:
            stop()
        result = function(*arguments, **options)
        if is_it and is_behind:
            stop()
        return result

    setattr(owner, attribute, stopping)
