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
# REPLACE of SQLite deletes rows in its way without a word to a trigger for deletions. By table,
# what finds such rows.
_ROWS_IN_THE_WAY = {
    "events": """
        EXISTS (SELECT 1 FROM events WHERE position = NEW.position)
        OR EXISTS (SELECT 1 FROM events WHERE event_id = NEW.event_id)
        OR EXISTS (
            SELECT 1 FROM events
            WHERE aggregate_type = NEW.aggregate_type
                AND aggregate_id = NEW.aggregate_id
                AND sequence_number = NEW.sequence_number
        )
    """,
    "events_operator_log": "EXISTS (SELECT 1 FROM events_operator_log WHERE id = NEW.id)",
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
    _make_append_only("events", schema_editor)


def drop_append_only_triggers(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _drop_triggers("events", schema_editor)


def install_operator_log_triggers(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For RunPython, as above."""
    _make_append_only("events_operator_log", schema_editor)


def drop_operator_log_triggers(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _drop_triggers("events_operator_log", schema_editor)


def _make_append_only(table: str, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION events_refuse_change()",
            params=None,
        )
    elif schema_editor.connection.vendor == "sqlite":
        for operation, moment in {
            "UPDATE": f"UPDATE ON {table}",
            "DELETE": f"DELETE ON {table}",
            "REPLACE": f"INSERT ON {table} WHEN {_ROWS_IN_THE_WAY[table]}",
        }.items():
            schema_editor.execute(
                f"CREATE TRIGGER {table}_refuse_{operation.lower()} BEFORE {moment} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {operation} refused'); END",
                params=None,
            )


def _drop_triggers(table: str, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}", params=None)
    elif schema_editor.connection.vendor == "sqlite":
        for operation in ("update", "delete", "replace"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_refuse_{operation}", params=None)


def set_bytewise_collation(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For RunPython. PostgreSQL only; SQLite compares bytes by default."""
    if schema_editor.connection.vendor == "postgresql":
        for table, columns in _BYTEWISE_COLUMNS.items():
            changes = (f'ALTER {column} TYPE varchar COLLATE "C"' for column in columns)
            schema_editor.execute(f"ALTER TABLE {table} {', '.join(changes)}", params=None)


@contextmanager
def sqlite_triggers_suspended(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """For emptying the tables of a test database, which Django does by DELETE on SQLite."""
    tables = ", ".join(f"'{table}'" for table in _ROWS_IN_THE_WAY)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' "
            f"AND tbl_name IN ({tables}) AND name LIKE tbl_name || '_refuse_%'"
        )
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for _, statement in triggers:
                cursor.execute(statement)
