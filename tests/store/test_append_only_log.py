"""Stored events can't be changed or deleted: not by SQL, not by the model, not by a query set."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import F

from events.exceptions import EventsAreImmutable
from events.models import Event
from events.store.configured import event_store
from tests.factories import cart, items
from tests.store.sessions import execute

CHANGES_BY_SQL = {
    "update": "UPDATE events SET event_type = 'forged'",
    "update of nothing but a time": "UPDATE events SET recorded_at = recorded_at",
    "update of one": "UPDATE events SET metadata = '{}' WHERE sequence_number = 0",
    "update of the position": "UPDATE events SET position = position + 1000",
    "delete": "DELETE FROM events",
    "delete of one": "DELETE FROM events WHERE sequence_number = 1",
    "upsert": (
        "INSERT INTO events SELECT * FROM events WHERE true"
        " ON CONFLICT (event_id) DO UPDATE SET event_type = 'forged'"
    ),
}
CHANGES_BY_THE_MODEL = {
    "save": lambda event: event.save(),
    "save of one field": lambda event: event.save(update_fields=["event_type"]),
    "forced update": lambda event: event.save(force_update=True),
    "save of a copy": lambda event: Event(**values(event)).save(),
    "create": lambda event: Event.objects.create(**values(event) | {"position": None}),
    "delete": lambda event: event.delete(),
    "update of a query set": lambda event: Event.objects.update(event_type="forged"),
    "update by an expression": lambda event: Event.objects.filter(pk=event.pk).update(
        sequence_number=F("sequence_number") + 7
    ),
    "delete of a query set": lambda event: Event.objects.filter(pk=event.pk).delete(),
    "bulk update": lambda event: Event.objects.bulk_update([event], ["event_type"]),
    "update or create": lambda event: Event.objects.update_or_create(
        event_id=event.event_id, defaults={"event_type": "forged"}
    ),
}
CHANGES_PAST_THE_MODEL = {
    "update of the base manager": lambda event: Event._base_manager.update(event_type="forged"),
    "delete of the base manager": lambda event: Event._base_manager.all().delete(),
    "raw delete": lambda event: Event.objects.all()._raw_delete("default"),
    "bulk create with update": lambda event: Event.objects.bulk_create(
        [Event(**values(event) | {"event_type": "forged"})],
        update_conflicts=True,
        unique_fields=["event_id"],
        update_fields=["event_type"],
    ),
}


def values(event):
    return {field.attname: getattr(event, field.attname) for field in Event._meta.fields}


@pytest.fixture
def log(db):
    event_store().append(cart(), items(3))
    return list(event_store().read_log())


@pytest.mark.parametrize("statement", CHANGES_BY_SQL.values(), ids=CHANGES_BY_SQL)
def test_the_database_refuses_changes(log, statement):
    with pytest.raises(IntegrityError, match="events is append-only"), transaction.atomic():
        execute(statement)

    assert list(event_store().read_log()) == log


@pytest.mark.parametrize("change", CHANGES_PAST_THE_MODEL.values(), ids=CHANGES_PAST_THE_MODEL)
def test_the_database_refuses_changes_that_go_past_the_model(log, change):
    event = Event.objects.first()

    with pytest.raises(IntegrityError, match="events is append-only"), transaction.atomic():
        change(event)

    assert list(event_store().read_log()) == log


@pytest.mark.parametrize("change", CHANGES_BY_THE_MODEL.values(), ids=CHANGES_BY_THE_MODEL)
def test_the_model_refuses_changes(log, change):
    event = Event.objects.first()
    event.event_type = "forged"

    with pytest.raises(EventsAreImmutable, match="append"):
        change(event)

    assert list(event_store().read_log()) == log


@pytest.mark.sqlite
@pytest.mark.parametrize("key", ["position", "event_id", "sequence_number"])
def test_sqlite_refuses_to_replace_an_event(log, key):
    """REPLACE deletes the rows that are in its way, and no trigger for deletions sees it."""
    columns = {field.column: field.column for field in Event._meta.fields}
    columns |= {
        "position": "position + 1000",
        "event_id": "hex(randomblob(16))",
        "sequence_number": "sequence_number + 1000",
        "event_type": "'forged'",
        key: key,
    }

    with suppress(IntegrityError), transaction.atomic():
        execute(
            f"INSERT OR REPLACE INTO events ({', '.join(columns)})"
            f" SELECT {', '.join(columns.values())} FROM events WHERE sequence_number = 1"
        )

    assert list(event_store().read_log()) == log


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("reset_sequences", [False, True])
def test_flush_empties_the_log_and_leaves_it_append_only(reset_sequences):
    store = event_store()
    store.append(cart(), items(3))

    call_command("flush", interactive=False, reset_sequences=reset_sequences, verbosity=0)

    assert list(store.read_log()) == []
    assert store.stream_version(cart()) == -1
    result = store.append(cart(), items(2), expected_version=-1)
    assert [event.position for event in store.read_log()] == list(result.positions)
    for statement in CHANGES_BY_SQL.values():
        with pytest.raises(IntegrityError, match="events is append-only"):
            execute(statement)
    assert len(list(store.read_log())) == 2


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_a_flush_that_fails_leaves_the_log_append_only(monkeypatch):
    store = event_store()
    store.append(cart(), items(3))

    def fail(*args, **kwargs):
        raise RuntimeError("interrupted")

    with monkeypatch.context() as patched:
        patched.setattr("django.core.management.commands.flush.Command.handle", fail)
        with pytest.raises(RuntimeError, match="interrupted"):
            call_command("flush", interactive=False, verbosity=0)

    for statement in CHANGES_BY_SQL.values():
        with pytest.raises(IntegrityError, match="events is append-only"):
            execute(statement)
    assert len(list(store.read_log())) == 3
