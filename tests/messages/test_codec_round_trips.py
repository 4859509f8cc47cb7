"""What goes into an event comes out of it with the same type and the same value."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from types import NoneType
from typing import Annotated, Any, Literal, Optional
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.limits import Limits
from tests.messages.samples import (
    Colour,
    Draft,
    Line,
    Money,
    Permission,
    Priority,
    Size,
    encode,
    round_trip,
)

PLUS_A_BIT = timezone(timedelta(hours=1, minutes=53, seconds=28))

STORED_AS = [
    (str, "Snorri", "Snorri"),
    (str, "", ""),
    (bool, True, True),
    (int, 2**200, 2**200),
    (int, -1, -1),
    (NoneType, None, None),
    (float, 0.1, 0.1),
    (float, 3, 3.0),
    (float, 1e22, 1e22),
    (Decimal, Decimal("1.10"), "1.10"),
    (Decimal, Decimal("-0"), "-0"),
    (Decimal, Decimal("1E+999999999999"), "1E+999999999999"),
    (Decimal, Decimal("1E-7"), "1E-7"),
    (datetime, datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00+00:00"),
    (datetime, datetime(1900, 1, 1, tzinfo=PLUS_A_BIT), "1900-01-01T00:00:00+01:53:28"),
    (datetime, datetime.max.replace(tzinfo=UTC), "9999-12-31T23:59:59.999999+00:00"),
    (date, date(2024, 2, 29), "2024-02-29"),
    (time, time(23, 59, 59, 999999), "23:59:59.999999"),
    (time, time(12, tzinfo=PLUS_A_BIT), "12:00:00+01:53:28"),
    (UUID, UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Size, Size.SMALL, "S"),
    (Size, Size.BIG, "L"),
    (Priority, Priority.HIGH, 2),
    (Colour, Colour.RED, "red"),
    (Permission, Permission.READ | Permission.WRITE, 3),
    (Literal["card", 1, True], 1, 1),
    (Literal["card", 1, True], True, True),
    (Optional[Literal["card"]], None, None),  # noqa: UP045  (older spelling, same meaning)
    (Optional[Literal["card"]], "card", "card"),  # noqa: UP045
    (int | None, None, None),
    (list[int], [], []),
    (list[int | None], [1, None], [1, None]),
    (tuple[int, ...], (), []),
    (tuple[int, ...], (1, 2), [1, 2]),
    (tuple[str, Decimal], ("a", Decimal("1.0")), ["a", "1.0"]),
    (dict[str, list[Decimal]], {"a.b": [Decimal(1)], "": []}, {"a.b": ["1"], "": []}),
    (Money, Money(Decimal("9.90")), {"amount": "9.90", "currency": "EUR"}),
    (Draft, Draft("Edda"), {"title": "Edda"}),
    (
        Line,
        Line("pen", Money(Decimal(1), "ISK"), (Size.SMALL,)),
        {"name": "pen", "price": {"amount": "1", "currency": "ISK"}, "sizes": ["S"]},
    ),
    (Annotated[str, "a comment", Limits(max_length=3)], "abc", "abc"),
    (Annotated[str, ["what has no hash"]], "text", "text"),
    (Any, {"a": [1, 2.5, None, True, "x", {}]}, {"a": [1, 2.5, None, True, "x", {}]}),
]


@pytest.mark.parametrize(("annotation", "value", "stored"), STORED_AS)
def test_each_annotation_has_one_stored_form_and_comes_back(annotation, value, stored):
    assert same(encode(annotation, value), stored)
    returned = round_trip(annotation, value)
    assert returned == value
    assert type(returned) is (float if annotation is float else type(value))


def test_an_ambiguous_local_time_comes_back_as_the_same_moment():
    second_half_past_two = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Oslo"), fold=1)
    returned = round_trip(datetime, second_half_past_two)
    assert returned.isoformat() == "2026-10-25T02:30:00+01:00"
    assert returned.timestamp() == second_half_past_two.timestamp()


def test_an_alias_of_an_enum_comes_back_as_the_member_that_it_names():
    assert round_trip(Size, Size.BIG) is Size.LARGE


def same(one, other):
    """Equal, and of equal types all the way down: True is not 1 and -0.0 is not 0.0."""
    return repr(one) == repr(other)


# --- any value of any annotation, nested in any way ---


def without_fold(moment):
    """With a fixed offset it says nothing."""
    return moment.replace(fold=0)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
OFFSETS = st.integers(-86399, 86399).map(lambda seconds: timezone(timedelta(seconds=seconds)))
LEAVES = [
    (str, TEXT),
    (bool, st.booleans()),
    (int, st.integers()),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (datetime, st.datetimes(timezones=OFFSETS).map(without_fold)),
    (date, st.dates()),
    (time, st.times(timezones=OFFSETS).map(without_fold)),
    (UUID, st.uuids()),
    (Size, st.sampled_from(Size)),
    (Priority, st.sampled_from(Priority)),
    (Colour, st.sampled_from(Colour)),
    (Literal["a", 1, True], st.sampled_from(["a", 1, True])),
    (
        Any,
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | TEXT,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
            max_leaves=5,
        ),
    ),
]


# Each takes a pair of an annotation and a strategy for its values, and makes another.


def listed(typed):
    annotation, values = typed
    return list[annotation], st.lists(values, max_size=3)


def tupled(typed):
    annotation, values = typed
    return tuple[annotation, ...], st.lists(values, max_size=3).map(tuple)


def paired(one, other):
    return tuple[one[0], other[0]], st.tuples(one[1], other[1])


def keyed(typed):
    annotation, values = typed
    return dict[str, annotation], st.dictionaries(TEXT, values, max_size=3)


def optional(typed):
    annotation, values = typed
    return annotation | None, st.none() | values


def boxed(typed):
    annotation, values = typed
    box = dataclasses.make_dataclass("Box", [("content", annotation)], frozen=True)
    return box, st.builds(box, values)


TYPED = st.recursive(
    st.sampled_from(LEAVES),
    lambda typed: st.one_of(
        *[typed.map(wrap) for wrap in (listed, tupled, keyed, optional, boxed)],
        st.builds(paired, typed, typed),
    ),
    max_leaves=6,
)


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_any_nested_value_survives_the_stores_json_text(data):
    annotation, values = data.draw(TYPED)
    value = data.draw(values)
    assert same(round_trip(annotation, value), value)
