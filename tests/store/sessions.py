"""The sessions of the test database, and what PostgreSQL's lock table says about them."""

from __future__ import annotations

from typing import Any

from django.db import connections

# Other databases of the server, such as those of tests that run beside these, don't count.
_PROCESSES = """
    SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE datname = current_database()
"""


def execute(
    statement: str, parameters: list[Any] | None = None, *, using: str = "default"
) -> list[tuple[Any, ...]]:
    with connections[using].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def waiting_for_a_lock() -> int:
    """How many sessions do."""
    return _locks(f"NOT granted AND pid IN ({_PROCESSES})")


def announcements() -> int:
    """How many appends hold readers back."""
    return _locks(f"locktype = 'advisory' AND mode = 'ShareLock' AND pid IN ({_PROCESSES})")


def _locks(condition: str) -> int:
    count: int = execute(f"SELECT count(*) FROM pg_locks WHERE {condition}")[0][0]
    return count
