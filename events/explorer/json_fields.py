"""Values within the JSON of events that can be searched for: `data.order_id`, `metadata.tenant`.

An index is made for one field at a time, by `manage.py event_indexes add data.order_id`: each
append of an event that has the field pays for it, and no other. Without one, a search looks through
a bounded number of rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from django.db import connections
from django.db.models import F, Func, TextField

from ..conf import events_settings
from ..models import Event

_PREFIXES = {"data": "event_data", "metadata": "metadata"}
_PATH = re.compile(r"(data|metadata)((?:\.[A-Za-z0-9_][A-Za-z0-9_-]*)+)", re.ASCII)
#: Of an indexed text: an entry of a B-tree has little room, and a longer value must not be the
#: reason that an append fails.
MAX_INDEXED_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonField:
    """`data.customer.id` is the column `event_data` and the path `customer`, `id`."""

    column: str
    path: tuple[str, ...]

    @classmethod
    def parse(cls, name: str) -> JsonField | None:
        match = _PATH.fullmatch(name)
        if match is None or len(name) > 200:
            return None
        return cls(column=_PREFIXES[match[1]], path=tuple(match[2][1:].split(".")))

    def __str__(self) -> str:
        prefix = next(name for name, column in _PREFIXES.items() if column == self.column)
        return ".".join((prefix, *self.path))

    @property
    def alias(self) -> str:
        """Of its annotation, and the stem of its index's name."""
        return f"events_json_{blake2b(str(self).encode(), digest_size=6).hexdigest()}"

    def expression(self) -> Func:
        """Its text, as far as an index holds it; null where the event doesn't have it."""
        return _JsonText(self)


class _JsonText(Func):
    output_field = TextField()

    def __init__(self, field: JsonField) -> None:
        super().__init__(F(field.column))
        self._field = field

    def as_sql(  # type: ignore[override]
        self, compiler: Any, connection: Any, **context: Any
    ) -> Any:
        # The path is of letters, digits, _ and -: it needs no quoting. It is written out, because
        # an index of an expression is found by its text alone.
        path = "".join(f'."{part}"' for part in self._field.path)
        template = f"SUBSTR(JSON_EXTRACT(%(expressions)s, '${path}'), 1, {MAX_INDEXED_LENGTH})"
        return super().as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(
            compiler, connection, template=_postgresql("%(expressions)s", self._field), **context
        )


def _postgresql(column: str, field: JsonField) -> str:
    path = ",".join(field.path)
    return f'("left"({column} #>> \'{{{path}}}\', {MAX_INDEXED_LENGTH}) COLLATE "C")'


# --- indexes ---


def is_indexed(field: JsonField) -> bool:
    return str(field) in indexed_fields()


def indexed_fields() -> list[str]:
    """Those with an index that is complete. Empty on databases other than PostgreSQL."""
    connection = connections[events_settings().database]
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT obj_description(indexrelid) FROM pg_index
            WHERE indrelid = %s::regclass AND indisvalid
                AND obj_description(indexrelid) IS NOT NULL
            """,
            [Event._meta.db_table],
        )
        return sorted(name for (name,) in cursor.fetchall() if JsonField.parse(name))


def add_index(field: JsonField) -> None:
    """While others append. Outside of a transaction."""
    connection = connections[events_settings().database]
    quote, table = connection.ops.quote_name, Event._meta.db_table
    name, expression = quote(field.alias), _postgresql(quote(field.column), field)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE INDEX CONCURRENTLY {name} ON {quote(table)} "
            f"({expression}, position) WHERE {expression} IS NOT NULL"
        )
        cursor.execute(f"COMMENT ON INDEX {name} IS '{field}'")


def drop_index(field: JsonField) -> None:
    """As `add_index`; also what an interrupted one has left."""
    connection = connections[events_settings().database]
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP INDEX CONCURRENTLY IF EXISTS {connection.ops.quote_name(field.alias)}"
        )
