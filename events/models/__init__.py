"""The tables, by what they hold: the log, the commands that were answered, where subscriptions
stand, what operators did, and the searches that they keep."""

from __future__ import annotations

from .command_record import CommandRecord
from .delivery import FailedEvent, Lane, SubscriptionState, WakeUp
from .log import AggregateVersion, AppendLock, Event, Snapshot
from .operation import OperatorAction
from .saved_view import SavedView

__all__ = [
    "AggregateVersion",
    "AppendLock",
    "CommandRecord",
    "Event",
    "FailedEvent",
    "Lane",
    "OperatorAction",
    "SavedView",
    "Snapshot",
    "SubscriptionState",
    "WakeUp",
]
