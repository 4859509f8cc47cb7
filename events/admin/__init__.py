"""The explorer in the admin: the log, subscriptions, failed events, and what operators did. What
pages show is put together in `explorer`; what operators do goes through `delivery`."""

from __future__ import annotations

from . import events, failed_events, operations, operator_log, streams, subscriptions

__all__ = ["events", "failed_events", "operations", "operator_log", "streams", "subscriptions"]
