"""The stores that the contract is checked on.

To check one of your own, run this folder with a `store` fixture that gives it, empty, and with a
`savepoint` that undoes what is done in the database inside of it when that fails.
"""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from django.db import transaction

from events.store.memory import MemoryEventStore
from events.store.orm import OrmEventStore
from events.store.postgresql import PostgresEventStore


@pytest.fixture(
    params=[
        pytest.param(MemoryEventStore, id="memory"),
        pytest.param(OrmEventStore, id="orm", marks=pytest.mark.django_db),
        pytest.param(
            PostgresEventStore,
            id="postgresql",
            marks=[pytest.mark.django_db, pytest.mark.postgresql],
        ),
    ]
)
def store(request, nobody_listens):
    return request.param()


@pytest.fixture
def savepoint(store):
    """For errors after which a transaction can't go on."""
    return nullcontext if isinstance(store, MemoryEventStore) else transaction.atomic
