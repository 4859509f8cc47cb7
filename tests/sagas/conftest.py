from __future__ import annotations

import pytest

from events.repository import Repository
from events.store.base import EventStore
from events.store.configured import event_store
from events.store.memory import MemoryEventStore
from sagas.choreography import choreographies
from sagas.instance import Saga
from sagas.registry import Definitions

from .outing import script


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


@pytest.fixture
def choreographed(no_other_subscriptions, monkeypatch) -> None:
    """No other processes than those that the test makes, whose handlers begin afresh."""
    monkeypatch.setattr(choreographies, "_by_type", {})
    monkeypatch.setattr(script, "instead", {})
    monkeypatch.setattr(script, "calls", [])
    monkeypatch.setattr(script, "asked_in_transaction", [])
