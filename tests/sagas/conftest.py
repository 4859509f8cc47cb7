from __future__ import annotations

import pytest

from events.repository import Repository
from events.store.base import EventStore
from events.store.configured import event_store
from events.store.memory import MemoryEventStore
from sagas.instance import Saga
from sagas.registry import Definitions


@pytest.fixture(params=["memory", "database"])
def any_store(request, db: None) -> EventStore:
    return MemoryEventStore() if request.param == "memory" else event_store()


@pytest.fixture
def sagas(any_store: EventStore) -> Repository[Saga]:
    return Repository(Saga, store=any_store)


@pytest.fixture
def definitions(monkeypatch) -> Definitions:
    """Those of one test alone."""
    own = Definitions()
    monkeypatch.setattr("sagas.definition.definitions", own)
    monkeypatch.setattr("sagas.instance.definitions", own)
    return own
