"""The log, subscriptions and failed events in the admin. What pages show is put together in
`explorer`; what operators do goes through `delivery`."""

from __future__ import annotations

from . import delivery, events, operator_log, streams

__all__ = ["delivery", "events", "operator_log", "streams"]
