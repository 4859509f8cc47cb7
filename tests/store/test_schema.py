"""What migrations put into the database besides tables, and that they take all of it away."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from events.store.configured import event_store
from tests.factories import cart, items

POSTGRESQL_OBJECTS = """
    SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT relname::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S', 'i')
"""
SQLITE_OBJECTS = "SELECT name FROM sqlite_master"

TRIGGERS = {
    "postgresql": {"events_append_only"},
    "sqlite": {"events_refuse_update", "events_refuse_delete"},
}
FUNCTIONS = {
    "postgresql": {
        "events_announce_append",
        "events_append_to_stream",
        "events_append_to_streams",
        "events_find_replay",
        "events_high_water_mark",
        "events_lock_space",
        "events_refuse_change",
    },
    "sqlite": set(),
}
LABEL = apps.get_app_config("events").label


def objects():
    statement = POSTGRESQL_OBJECTS if connection.vendor == "postgresql" else SQLITE_OBJECTS
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {name for (name,) in cursor.fetchall()}


def migrate(*target):
    call_command("migrate", *target, verbosity=0, interactive=False)


@pytest.fixture
def migrated(transactional_db):
    """All objects of the database as migrations made them; they are made again afterwards."""
    yield objects()
    migrate()


def test_migrations_make_triggers_and_functions(db):
    assert TRIGGERS[connection.vendor] | FUNCTIONS[connection.vendor] <= objects()


def test_migrations_backwards_leave_nothing_behind_and_forwards_make_it_again(migrated):
    migrate(LABEL, "zero")
    left = {
        name for name in objects() if name.startswith(("events", "aggregate_versions", "snapshots"))
    }
    assert left == set()

    migrate()
    assert objects() == migrated
    assert event_store().append(cart(), items(1)).version == 0
    assert len(list(event_store().read_log())) == 1


def test_the_migration_of_triggers_and_functions_can_be_taken_back_alone(migrated):
    migrate(LABEL, "0001")
    assert not objects() & (TRIGGERS[connection.vendor] | FUNCTIONS[connection.vendor])
    assert "events" in objects()

    migrate(LABEL)
    assert objects() == migrated


@pytest.mark.postgresql
def test_indexed_text_is_compared_by_its_bytes(db):
    """Another collation orders by the rules of a system library, which change with its version."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, a.attname FROM pg_index AS i
            JOIN pg_class AS c ON c.oid = i.indrelid
            JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int[])
            JOIN pg_collation AS o ON o.oid = a.attcollation
            WHERE c.relname IN ('events', 'aggregate_versions', 'snapshots') AND o.collname <> 'C'
            """
        )
        assert cursor.fetchall() == []
