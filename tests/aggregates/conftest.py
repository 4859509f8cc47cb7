from __future__ import annotations

import pytest

from events.repository import Repository
from events.store.base import EventStore
from events.store.configured import event_store
from events.store.memory import MemoryEventStore
from tests.aggregates.basket import Basket


@pytest.fixture(params=["memory", "database"])
def any_store(request, db: None) -> EventStore:
    return MemoryEventStore() if request.param == "memory" else event_store()


@pytest.fixture
def baskets(any_store: EventStore) -> Repository[Basket]:
    return Repository(Basket, store=any_store)
