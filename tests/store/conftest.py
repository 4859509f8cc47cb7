from __future__ import annotations

import pytest
from django.db import connections

from events.signals import events_appended
from events.store.orm import OrmEventStore
from events.store.postgresql import PostgresEventStore
from tests.store.sessions import execute


@pytest.fixture(
    params=[
        pytest.param(OrmEventStore, id="orm"),
        pytest.param(PostgresEventStore, id="postgresql", marks=pytest.mark.postgresql),
    ]
)
def store_class(request, transactional_db):
    """A store that other connections can see: what it commits, and nothing else."""
    return request.param


@pytest.fixture
def store(store_class):
    return store_class()


@pytest.fixture
def nobody_listens(monkeypatch):
    """With listeners, a store wraps its append into a transaction or savepoint of its own."""
    monkeypatch.setattr(events_appended, "has_listeners", lambda sender: False)


@pytest.fixture
def second(transactional_db):
    """The alias of a second connection to the same database: two sessions, step by step, in one
    thread. It must not wait for the first one."""
    # Known as "default" to itself, so that Django's tests let it connect.
    connections["second"] = connections.create_connection("default")
    yield "second"
    connections["second"].close()
    del connections["second"]


@pytest.fixture
def postgresql_store(transactional_db, nobody_listens):
    execute("SET lock_timeout = '10s'")
    yield PostgresEventStore()
    execute("RESET lock_timeout")


@pytest.fixture
def elsewhere(second):
    """The PostgreSQL store in another session. An append that waits for the one of the other
    session waits for its own thread: it shall fail."""
    execute("SET lock_timeout = '10s'", using=second)
    return PostgresEventStore(second)
