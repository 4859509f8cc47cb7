"""A cursor whose statements PostgreSQL plans once a connection, under Django's wrapper.

Making one takes a tenth of the time of an append, so each connection keeps one.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from django.db.backends.utils import CursorDebugWrapper, CursorWrapper

from ..conf import events_settings

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

try:
    import psycopg
    from psycopg.types.numeric import Int8
except ImportError:  # a host with psycopg2
    bigint: type[int] = int

    def prepared_cursor(connection: BaseDatabaseWrapper) -> CursorWrapper:
        return connection.cursor()

    kept_cursor = prepared_cursor

else:
    # A plain int is sent as the smallest type that holds it, and each type is another statement.
    bigint = Int8

    class PreparedCursor(psycopg.Cursor[Any]):
        """Django's own cursors bind parameters on the client, which leaves nothing to prepare."""

        def execute(self, query: Any, params: Any = None, **options: Any) -> PreparedCursor:
            # Psycopg ignores `prepare` on a connection without a threshold, which Django's are.
            threshold, self.connection.prepare_threshold = self.connection.prepare_threshold, 0
            try:
                return super().execute(query, params, prepare=True, binary=True, **options)
            finally:
                self.connection.prepare_threshold = threshold

    class LoggedCursor(PreparedCursor):
        """For Django's log of queries, which asks the cursor for them, with their values."""

        def execute(self, query: Any, params: Any = None, **options: Any) -> LoggedCursor:
            try:
                super().execute(query, params, **options)
            finally:
                text = psycopg.ClientCursor(self.connection).mogrify(query, params)
                self._query = SimpleNamespace(query=text.encode())  # type: ignore[assignment]
            return self

    def prepared_cursor(connection: BaseDatabaseWrapper) -> CursorWrapper:
        """Instrumentation that wraps Django's cursors sees these statements too."""
        if not _may_prepare(connection):
            return connection.cursor()
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        connection.validate_thread_sharing()
        if connection.queries_logged:
            logged = LoggedCursor(connection.connection)
            return connection.make_debug_cursor(cast("CursorWrapper", logged))
        return connection.make_cursor(cast("CursorWrapper", PreparedCursor(connection.connection)))

    def kept_cursor(connection: BaseDatabaseWrapper) -> CursorWrapper:
        """For small results, which it holds until its next statement: the same one for each caller,
        so fetch all rows at once, and don't close it."""
        connection.close_if_health_check_failed()
        connection.validate_thread_sharing()
        kept: CursorWrapper | None = vars(connection).get("_events_cursor")
        if kept is None or not _is_fit(kept, connection):
            kept = vars(connection)["_events_cursor"] = prepared_cursor(connection)
        return kept

    def _is_fit(kept: CursorWrapper, connection: BaseDatabaseWrapper) -> bool:
        return (
            kept.cursor.connection is connection.connection
            and isinstance(kept, CursorDebugWrapper) == connection.queries_logged
        )

    def _may_prepare(connection: BaseDatabaseWrapper) -> bool:
        # The setting by which Django hosts say that a transaction pooler stands in between.
        pooled = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS", False)
        return events_settings().prepare_statements and not pooled
