from __future__ import annotations

import pytest
from django.db import connections

from events.store.orm import OrmEventStore
from events.store.postgresql import PostgresEventStore


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
def second(transactional_db):
    """The alias of a second connection to the same database: two sessions, step by step, in one
    thread. It must not wait for the first one."""
    # Known as "default" to itself, so that Django's tests let it connect.
    connections["second"] = connections.create_connection("default")
    yield "second"
    connections["second"].close()
    del connections["second"]
