from __future__ import annotations

import pytest

from events.store.base import EventStore
from events.store.configured import event_store


@pytest.fixture(autouse=True)
def cheap_passwords(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def store(db: None) -> EventStore:
    """The store of the database that this run is on."""
    return event_store()
