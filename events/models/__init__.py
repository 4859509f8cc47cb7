"""The tables, by what they hold: the log, the commands that were answered, where subscriptions
stand and stood, what operators did, and what they have asked for."""

from __future__ import annotations

from .bulk import Operation, OperationItem
from .command_record import CommandRecord
from .delivery import FailedEvent, Lane, SubscriptionState, WakeUp
from .log import AggregateVersion, AppendLock, Event, Snapshot
from .operation import OperatorAction
from .sample import LagSample

__all__ = [
    "AggregateVersion",
    "AppendLock",
    "CommandRecord",
    "Event",
    "FailedEvent",
    "LagSample",
    "Lane",
    "Operation",
    "OperationItem",
    "OperatorAction",
    "Snapshot",
    "SubscriptionState",
    "WakeUp",
]
