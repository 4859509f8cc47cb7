"""What the log needs of its database beyond tables: functions, triggers, collations.

Migrations call this; a change to a file in `sql/` needs a new migration that installs it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_SQL = Path(__file__).parent / "sql"

# In the order of their dependencies.
_FUNCTIONS = (
    "lane_of",
    "lock_space",
    "announce_append",
    "high_water_mark",
    "find_replay",
    "take_back",
    "append_to_stream",
    "append_to_streams",
    "refuse_change",
)
_POSTGRESQL_TRIGGER = """
    CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_refuse_change()
"""
# Indexed text in the order of its bytes: faster to compare, and an index of it survives an upgrade
# of the system's collations, which would corrupt it silently otherwise.
_BYTEWISE_COLUMNS = {
    "events": (
        "aggregate_type",
        "aggregate_id",
        "event_type",
        "correlation_id",
        "causation_id",
    ),
    "aggregate_versions": ("aggregate_type", "aggregate_id"),
    "snapshots": ("aggregate_type", "aggregate_id"),
}
_SQLITE_TRIGGERS = {
    f"events_refuse_{operation.lower()}": (
        f"CREATE TRIGGER events_refuse_{operation.lower()} BEFORE {operation} ON events "
        f"BEGIN SELECT RAISE(ABORT, 'events is append-only: {operation} refused'); END"
    )
    for operation in ("UPDATE", "DELETE")
} | {
    # INSERT OR REPLACE deletes without a word to the trigger for DELETE.
    "events_refuse_replace": """
        CREATE TRIGGER events_refuse_replace BEFORE INSERT ON events
        WHEN EXISTS (SELECT 1 FROM events WHERE position = NEW.position)
            OR EXISTS (SELECT 1 FROM events WHERE event_id = NEW.event_id)
            OR EXISTS (
                SELECT 1 FROM events
                WHERE aggregate_type = NEW.aggregate_type
                    AND aggregate_id = NEW.aggregate_id
                    AND sequence_number = NEW.sequence_number
            )
        BEGIN SELECT RAISE(ABORT, 'events is append-only: REPLACE refused'); END
    """
}


def install_functions(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For RunPython. PostgreSQL only: other databases append through the ORM."""
    if schema_editor.connection.vendor == "postgresql":
        for name in _FUNCTIONS:
            schema_editor.execute((_SQL / f"{name}.sql").read_text(), params=None)


def drop_functions(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for name in reversed(_FUNCTIONS):
            schema_editor.execute(f"DROP FUNCTION IF EXISTS events_{name}", params=None)


def install_append_only_triggers(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For RunPython. On SQLite, needed again after every migration that alters the table."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_POSTGRESQL_TRIGGER, params=None)
    elif schema_editor.connection.vendor == "sqlite":
        for statement in _SQLITE_TRIGGERS.values():
            schema_editor.execute(statement, params=None)


def drop_append_only_triggers(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER IF EXISTS events_append_only ON events", params=None)
    elif schema_editor.connection.vendor == "sqlite":
        for name in _SQLITE_TRIGGERS:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}", params=None)


def set_bytewise_collation(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For RunPython. PostgreSQL only; SQLite compares bytes by default."""
    if schema_editor.connection.vendor == "postgresql":
        for table, columns in _BYTEWISE_COLUMNS.items():
            changes = (f'ALTER {column} TYPE varchar COLLATE "C"' for column in columns)
            schema_editor.execute(f"ALTER TABLE {table} {', '.join(changes)}", params=None)


@contextmanager
def sqlite_triggers_suspended(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """For emptying the tables of a test database, which Django does by DELETE on SQLite."""
    with connection.cursor() as cursor:
        for name in _SQLITE_TRIGGERS:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for statement in _SQLITE_TRIGGERS.values():
                cursor.execute(statement)
