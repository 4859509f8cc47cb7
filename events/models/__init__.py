"""The tables, by what they hold: the log, and the commands that were answered."""

from __future__ import annotations

from .command_record import CommandRecord
from .log import AggregateVersion, AppendLock, Event, Snapshot

__all__ = ["AggregateVersion", "AppendLock", "CommandRecord", "Event", "Snapshot"]
