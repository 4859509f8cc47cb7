"""The explorer in the admin: the log, subscriptions, failed events, and what operators did. What
pages show is put together in `explorer`; what operators do goes through `delivery`."""

from __future__ import annotations

from . import failed_events, log, operations, operator_log, subscriptions

__all__ = ["failed_events", "log", "operations", "operator_log", "subscriptions"]
