"""The tables, by what they hold: the log, the commands that were answered, where subscriptions
stand and stood, what came from a broker, what operators did and have asked for, and the searches
that they keep."""

from __future__ import annotations

from .bulk import Operation, OperationItem
from .command_record import CommandRecord
from .delivery import FailedEvent, Lane, SubscriptionState, WakeUp
from .log import AggregateVersion, AppendLock, Event, Snapshot
from .operation import OperatorAction
from .received import DeadMessage, InboxEntry, ReceivedEvent
from .sample import LagSample
from .saved_view import SavedView

__all__ = [
    "AggregateVersion",
    "AppendLock",
    "CommandRecord",
    "DeadMessage",
    "Event",
    "FailedEvent",
    "InboxEntry",
    "LagSample",
    "Lane",
    "Operation",
    "OperationItem",
    "OperatorAction",
    "ReceivedEvent",
    "SavedView",
    "Snapshot",
    "SubscriptionState",
    "WakeUp",
]
