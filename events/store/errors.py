"""Facts about a database error that Django doesn't pass on, for psycopg 3 and 2 alike."""

from __future__ import annotations

from django.db import DatabaseError


def sqlstate(error: DatabaseError) -> str | None:
    """PostgreSQL's five-character code (its manual, appendix A); None elsewhere."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)


def constraint_name(error: DatabaseError) -> str | None:
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)


def message_detail(error: DatabaseError) -> str | None:
    return getattr(getattr(error.__cause__, "diag", None), "message_detail", None)
