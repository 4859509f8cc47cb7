"""What migrations put into the database besides tables, and that they take all of it away."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from events.store.configured import event_store
from tests.factories import cart, items
from tests.store.sessions import execute

LABEL = apps.get_app_config("events").label
OUR_PREFIXES = ("events", "aggregate_versions", "snapshots")

PROGRAMS = {
    "postgresql": """
        SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal
    """,
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
}
TABLES = {
    "postgresql": """
        SELECT relname::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S', 'i')
    """,
    "sqlite": "SELECT name FROM sqlite_master WHERE type <> 'trigger'",
}
LEAST_PROGRAMS = {
    "postgresql": {"events_append_only", "events_append_to_stream", "events_high_water_mark"},
    "sqlite": {"events_refuse_update", "events_refuse_delete"},
}


def ours(statements):
    """The names of our objects of a kind."""
    names = {name for (name,) in execute(statements[connection.vendor])}
    return {name for name in names if name.startswith(OUR_PREFIXES)}


def migrate(*target):
    call_command("migrate", *target, verbosity=0, interactive=False)


@pytest.fixture
def migrated(transactional_db):
    """Triggers, functions and tables as migrations made them; they are made again afterwards."""
    yield ours(PROGRAMS), ours(TABLES)
    migrate()


def test_migrations_make_triggers_and_functions(migrated):
    programs, tables = migrated

    assert programs >= LEAST_PROGRAMS[connection.vendor]
    assert tables >= {"events", "aggregate_versions", "snapshots"}


def test_migrations_backwards_leave_nothing_behind_and_forwards_make_it_again(migrated):
    migrate(LABEL, "zero")
    assert (ours(PROGRAMS), ours(TABLES)) == (set(), set())

    migrate()
    assert (ours(PROGRAMS), ours(TABLES)) == migrated
    assert event_store().append(cart(), items(1)).version == 0
    assert len(list(event_store().read_log())) == 1


def test_the_migration_of_triggers_and_functions_can_be_taken_back_alone(migrated):
    migrate(LABEL, "0001")
    assert ours(PROGRAMS) == set()
    assert "events" in ours(TABLES)

    migrate(LABEL)
    assert (ours(PROGRAMS), ours(TABLES)) == migrated


@pytest.mark.postgresql
def test_indexed_text_is_compared_by_its_bytes(db):
    """Another collation orders by the rules of a system library, which change with its version."""
    others = execute(
        """
        SELECT c.relname, a.attname FROM pg_index AS i
        JOIN pg_class AS c ON c.oid = i.indrelid
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int[])
        JOIN pg_collation AS o ON o.oid = a.attcollation
        WHERE c.relname IN ('events', 'aggregate_versions', 'snapshots') AND o.collname <> 'C'
        """
    )
    assert others == []
