"""Which class the streams of a category belong to. Nothing is registered: it is found among the
subclasses that this process has loaded."""

from __future__ import annotations

from collections.abc import Iterator

from ..aggregates import EventSourcedAggregate


def find_aggregate_class(category: str) -> type[EventSourcedAggregate] | None:
    """Of several, the one that was declared last."""
    found = [cls for cls in aggregate_classes() if cls.aggregate_type == category]
    return found[-1] if found else None


def aggregate_classes() -> Iterator[type[EventSourcedAggregate]]:
    return (cls for cls in _subclasses(EventSourcedAggregate) if hasattr(cls, "aggregate_type"))


def _subclasses(cls: type[EventSourcedAggregate]) -> Iterator[type[EventSourcedAggregate]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
