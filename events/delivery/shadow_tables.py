"""Second tables for models, to be filled while the first ones are read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import md5
from typing import Any

from django.apps.registry import Apps
from django.core.management.color import no_style
from django.db import connections, models

Model = type[models.Model]

_SUFFIX = "__rebuild"


@cache
def shadows_of(originals: tuple[Model, ...]) -> dict[Model, Model]:
    """By original: a model with the same fields and another table.

    They live in a registry of their own, where no migration, content type or cascade finds them.
    """
    registry = Apps()
    shadows = {original: _shadow(original, registry) for original in originals}
    for original in originals:
        for field in original._meta.local_concrete_fields:
            target = field.related_model
            if isinstance(target, type) and target not in shadows:
                _lend(target, registry)
    return shadows


def create_tables(shadows: Sequence[Model], using: str) -> None:
    """Empty ones: what an interrupted rebuild has left is removed."""
    drop_tables(shadows, using)
    with connections[using].schema_editor() as editor:
        for shadow in shadows:
            editor.create_model(shadow)


def drop_tables(shadows: Sequence[Model], using: str) -> None:
    connection = connections[using]
    with connection.cursor() as cursor:
        for shadow in reversed(shadows):
            table = connection.ops.quote_name(shadow._meta.db_table)
            cursor.execute(f"DROP TABLE IF EXISTS {table}")


def replace_rows(shadows: dict[Model, Model], using: str) -> None:
    """In the caller's transaction. Readers see the old rows until it is committed."""
    connection = connections[using]
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for original in reversed(list(shadows)):
            cursor.execute(f"DELETE FROM {quote(original._meta.db_table)}")
        for original, shadow in shadows.items():
            columns = ", ".join(quote(column) for column in _columns(original))
            cursor.execute(
                f"INSERT INTO {quote(original._meta.db_table)} ({columns}) "
                f"SELECT {columns} FROM {quote(shadow._meta.db_table)}"
            )
        for statement in connection.ops.sequence_reset_sql(no_style(), list(shadows)):
            cursor.execute(statement)


def lock_tables(originals: Sequence[Model], using: str) -> None:
    """Waits for all transactions that have written to them; others can read, but not write. Where
    there is one writer at a time anyway, that is so already."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        tables = ", ".join(connection.ops.quote_name(each._meta.db_table) for each in originals)
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")


def _columns(original: Model) -> list[str]:
    """All that can be written."""
    return [
        str(field.column)
        for field in original._meta.local_concrete_fields
        if not getattr(field, "generated", False)
    ]


def _shadow(original: Model, registry: Apps) -> Model:
    meta = type(
        "Meta",
        (),
        {
            "apps": registry,
            "app_label": original._meta.app_label,
            "db_table": f"{original._meta.db_table}{_SUFFIX}",
            "ordering": original._meta.ordering,
            "unique_together": original._meta.unique_together,
            "indexes": [_renamed(index) for index in original._meta.indexes],
            "constraints": [_renamed(constraint) for constraint in original._meta.constraints],
        },
    )
    fields = {field.name: _copy(field) for field in original._meta.local_concrete_fields}
    return type(
        original.__name__,
        (models.Model,),
        {"__module__": original.__module__, "Meta": meta, "__str__": original.__str__, **fields},
    )


def _copy(field: models.Field[Any, Any]) -> models.Field[Any, Any]:
    _name, _path, arguments, options = field.deconstruct()
    if field.is_relation:
        options |= {"related_name": "+", "db_constraint": False}
    return type(field)(*arguments, **options)


def _renamed(named: Any) -> Any:
    """Names of indexes and constraints are taken once in a database."""
    copy = named.clone()
    copy.name = f"r_{md5(named.name.encode(), usedforsecurity=False).hexdigest()[:20]}"
    return copy


def _lend(target: Model, registry: Apps) -> None:
    """A model of the host that is referred to by its name."""
    label, name = target._meta.app_label, str(target._meta.model_name)
    registry.all_models[label].setdefault(name, target)
    registry.do_pending_operations(target)
