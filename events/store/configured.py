"""The store that the settings ask for."""

from __future__ import annotations

from functools import lru_cache

from django.db import connections
from django.utils.module_loading import import_string

from ..conf import events_settings
from .base import EventStore


def event_store() -> EventStore:
    """One instance for each combination of settings, safe to share between threads."""
    configured = events_settings()
    return _store(configured.store, configured.database)


@lru_cache
def _store(path: str | None, using: str) -> EventStore:
    if path is not None:
        store: EventStore = import_string(path)()
        return store
    if connections[using].vendor == "postgresql":
        from .postgresql import PostgresEventStore

        return PostgresEventStore(using)
    from .orm import OrmEventStore

    return OrmEventStore(using)
