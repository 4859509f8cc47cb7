"""Read models: tables that are derived from events, and can be derived again.

    @projects("User.*", name="users.registered_users", models=[RegisteredUser])
    class RegisteredUsers(Projection):
        def project(self, recorded: RecordedEvent) -> None:
            self.rows(RegisteredUser).filter(pk=recorded.aggregate_id).update(...)

`manage.py rebuild_projection NAME` fills new tables from the whole log, while the old ones stay
readable, and then puts their rows in place of the old.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from .bulk import insert_rows
from .bus.subscription import Pattern, Subscription, subscribe
from .conf import events_settings
from .exceptions import InvalidInput, UnknownProjection
from .recorded_event import RecordedEvent

ModelT = TypeVar("ModelT", bound=Model)
ProjectionT = TypeVar("ProjectionT", bound="Projection")


class Projection:
    """Writes its models' rows, through `rows` alone, and does nothing else: no mail, no command,
    no event. What it writes depends on the events and on its own rows, so that it comes out the
    same when they are read again years later.
    """

    def __init__(self, tables: Mapping[type[Model], type[Model]] | None = None) -> None:
        """`tables` gives models that stand in for others, while they are rebuilt."""
        self._tables = tables or {}

    def project(self, recorded: RecordedEvent) -> None:
        raise NotImplementedError

    def project_batch(self, events: Sequence[RecordedEvent]) -> None:
        """With `in_batches=True`; also what a rebuild calls, so overriding it makes that faster."""
        for recorded in events:
            self.project(recorded)

    def insert(self, model: type[ModelT], instances: Iterable[ModelT]) -> None:
        """New rows, fast; they must not be there yet."""
        insert_rows(self.rows(model), instances)

    def rows(self, model: type[ModelT]) -> QuerySet[ModelT]:
        """The rows to be written, in the database of the log."""
        rows = model._default_manager.get_queryset()
        stand_in: Any = self._tables.get(model, model)
        return type(rows)(model=stand_in, using=events_settings().database)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredProjection:
    """A projection class, the tables that it owns, and the subscription that feeds it."""

    projection_class: type[Projection]
    models: tuple[type[Model], ...]
    subscription: Subscription

    @property
    def name(self) -> str:
        return self.subscription.name


class Projections:
    """All of this process, by name."""

    def __init__(self) -> None:
        self._by_name: dict[str, DeclaredProjection] = {}

    def __iter__(self) -> Iterator[DeclaredProjection]:
        return iter(self._by_name.values())

    def add(self, declared: DeclaredProjection) -> None:
        self._by_name[declared.name] = declared

    def get(self, name: str) -> DeclaredProjection:
        """Raises UnknownProjection."""
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownProjection(name, list(self._by_name)) from None


projections = Projections()


def projects(
    *patterns: Pattern, name: str, models: Sequence[type[Model]], **options: Any
) -> Callable[[type[ProjectionT]], type[ProjectionT]]:
    """Declares a projection. `models` are all that it writes; the options are those of `subscribe`.

    With `delivery=Delivery.INLINE` the rows are never behind the log; an append then waits for
    them.
    """
    if not models:
        raise InvalidInput("models", f"{name} has none: subscribe a plain handler instead")

    def register(projection_class: type[ProjectionT]) -> type[ProjectionT]:
        live = projection_class()
        handler = live.project_batch if options.get("in_batches") else live.project
        projections.add(
            DeclaredProjection(
                projection_class=projection_class,
                models=tuple(models),
                subscription=subscribe(patterns, handler, name=name, **options),
            )
        )
        return projection_class

    return register
