"""Copies of data with HIDDEN where it is personal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from ..aggregates import EventSourcedAggregate
from ..registry import event_types
from .shapes import (
    Fields,
    Items,
    Shape,
    Untyped,
    Whole,
    applied_classes,
    declares_personal,
    personal_names,
    shape_of,
)

#: Shorter ones are found in texts where they mean something else.
MIN_LENGTH_WITHIN_TEXT = 5
MIN_BEGINNING = 10


class Hidden(str):
    """What stands in place of a hidden value. A string, so that it is JSON wherever the value
    was."""

    __slots__ = ()


HIDDEN = Hidden("•••")


def hide(value: Any, shape: Shape) -> Any:
    """A copy with HIDDEN in place of what the shape says is personal. Nulls stay: that something
    isn't there is no secret."""
    if shape is None or value is None:
        return value
    if isinstance(shape, Untyped):
        return hide_names(value, personal_names())
    if isinstance(shape, Fields) and isinstance(value, dict):
        # Of a class with personal fields, nobody knows what one that it doesn't have was.
        otherwise = Whole() if declares_personal(shape) else Untyped()
        return {
            key: hide(part, shape.by_name.get(key) if key in shape.by_name else otherwise)
            for key, part in value.items()
        }
    if isinstance(shape, Items) and isinstance(value, list):
        return [hide(part, shape.item) for part in value]
    if isinstance(shape, Items) and isinstance(value, dict):
        return {key: hide(part, shape.item) for key, part in value.items()}
    return HIDDEN


def _hidden(value: Any) -> Any:
    return None if value is None else HIDDEN


def hide_names(value: Any, names: frozenset[str]) -> Any:
    """As `hide`, for data that no class describes: at any depth, by the names of the keys."""
    if isinstance(value, dict):
        return {
            key: _hidden(part) if key in names else hide_names(part, names)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [hide_names(part, names) for part in value]
    return value


def hide_values(value: Any, personal: frozenset[str]) -> Any:
    """As `hide`, wherever one of these strings occurs, whatever the field is called, and in keys
    of objects, too."""
    if isinstance(value, dict):
        return _with_distinct_keys(
            (hide_values(key, personal), hide_values(part, personal)) for key, part in value.items()
        )
    if isinstance(value, list):
        return [hide_values(part, personal) for part in value]
    if isinstance(value, str) and not isinstance(value, Hidden):
        return HIDDEN if value in personal else hide_in_text(value, personal)
    return value


def _with_distinct_keys(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """All of them: where hiding has made keys alike, they are numbered."""
    found: dict[str, Any] = {}
    numbers: Counter[str] = Counter()
    for key, part in pairs:
        name = key
        while name in found:
            numbers[key] += 1
            name = f"{key} ({numbers[key] + 1})"
        found[name] = part
    return found


def hide_in_text(text: str, personal: frozenset[str]) -> str:
    """Of a message or a traceback."""
    for value in sorted(personal, key=len, reverse=True):
        for spelling in {value, repr(value)[1:-1]}:
            if len(spelling) >= MIN_LENGTH_WITHIN_TEXT:
                text = text.replace(spelling, HIDDEN)
                text = _without_beginning(text, spelling)
    return text


def _without_beginning(text: str, value: str) -> str:
    """Errors cut what they quote: the value may be there in part."""
    if value[:MIN_BEGINNING] not in text or len(value) <= MIN_BEGINNING:
        return text
    lengths = range(len(value) - 1, MIN_BEGINNING - 1, -1)
    longest = next(value[:length] for length in lengths if value[:length] in text)
    return text.replace(longest, HIDDEN)


def personal_values(value: Any, shape: Shape) -> frozenset[str]:
    """The strings that `hide` would hide."""
    return frozenset(_personal_values(value, shape))


def _personal_values(value: Any, shape: Shape) -> Iterator[str]:
    if shape is None:
        return
    if isinstance(shape, Whole):
        if shape.has_keys and isinstance(value, dict):
            yield from filter(None, value)
        yield from _strings(value)
    elif isinstance(shape, Untyped):
        yield from _values_by_name(value, personal_names())
    elif isinstance(value, dict):
        otherwise = Whole() if declares_personal(shape) else Untyped()
        for key, part in value.items():
            inner = shape.item if isinstance(shape, Items) else shape.by_name.get(key, otherwise)
            yield from _personal_values(part, inner)
    elif isinstance(value, list) and isinstance(shape, Items):
        for part in value:
            yield from _personal_values(part, shape.item)
    else:
        yield from _strings(value)


def _values_by_name(value: Any, names: frozenset[str]) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _strings(part) if key in names else _values_by_name(part, names)
    elif isinstance(value, list):
        for part in value:
            yield from _values_by_name(part, names)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _strings(part)
    elif isinstance(value, str) and value:
        yield value


def fill_in(edited: Any, original: Any) -> Any:
    """What somebody made of hidden data, with the original values where they left HIDDEN."""
    if isinstance(edited, str) and edited == HIDDEN:
        return original
    if isinstance(edited, dict) and isinstance(original, dict):
        return {key: fill_in(part, original.get(key)) for key, part in edited.items()}
    if isinstance(edited, list) and isinstance(original, list):
        padded = [*original, *[None] * (len(edited) - len(original))]
        return [fill_in(part, whole) for part, whole in zip(edited, padded, strict=False)]
    return edited


# --- by kind ---


def hide_in_event(event_type: str, data: Any) -> Any:
    """Stored or current data of an event. Of a type that no class describes, what any class calls
    personal."""
    cls = event_types.find(event_type)
    return hide_names(data, personal_names()) if cls is None else hide(data, shape_of(cls))


def hide_in_state(
    aggregate_class: type[EventSourcedAggregate] | None,
    state: Any,
    personal: frozenset[str] = frozenset(),
) -> Any:
    """The encoded state of an aggregate: what its class or the events behind it declare, by name,
    and whatever holds one of the `personal` values of those events."""
    if aggregate_class is None:
        return hide_values(hide_names(state, personal_names()), personal)
    state = hide(state, shape_of(aggregate_class))
    # One that applies events in its own way may hold those of any class.
    applied = applied_classes(aggregate_class) or None
    state = hide_names(state, personal_names(applied))
    return hide_values(state, personal)
