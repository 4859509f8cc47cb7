"""Typed data through a real database, whose JSON type may write numbers and keys its own way."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.messages import DomainEvent
from events.registry import event
from events.store.base import EventStore
from events.store.configured import event_store
from tests.factories import cart, measured
from tests.messages.samples import Colour, Line, Money, Permission, Priority, Size
from tests.messages.test_codec_round_trips import OFFSETS, TEXT, without_fold


@event("tests.Inventoried")
class Inventoried(DomainEvent):
    text: str
    whole: int
    ratio: float
    exact: Decimal
    moment: datetime
    day: date
    clock: time
    identity: UUID
    size: Size
    priority: Priority | None
    colours: dict[str, tuple[Colour, ...]]
    permissions: Permission
    kind: Literal["a", 1, True]
    pair: tuple[str, int | None]
    lines: list[Line]


FINITE: dict[str, Any] = {"allow_nan": False, "allow_infinity": False}
MONEY = st.builds(Money, st.decimals(**FINITE), TEXT)
INVENTORIES = st.builds(
    Inventoried,
    text=TEXT,
    whole=st.integers() | st.sampled_from([2**64, -(10**4000)]),
    ratio=st.floats(**FINITE) | st.sampled_from([1e22, 1e23, 1.7976931348623157e308, 5e-324]),
    exact=st.decimals(**FINITE),
    moment=st.datetimes(timezones=OFFSETS).map(without_fold),
    day=st.dates(),
    clock=st.times(timezones=OFFSETS).map(without_fold),
    identity=st.uuids(),
    size=st.sampled_from(Size),
    priority=st.none() | st.sampled_from(Priority),
    colours=st.dictionaries(TEXT, st.lists(st.sampled_from(Colour), max_size=2).map(tuple)),
    permissions=st.sampled_from([Permission(number) for number in range(4)]),
    kind=st.sampled_from(["a", 1, True]),
    pair=st.tuples(TEXT, st.none() | st.integers()),
    lines=st.lists(
        st.builds(Line, TEXT, MONEY, st.lists(st.sampled_from(Size)).map(tuple)), max_size=3
    ),
)


@pytest.mark.django_db
@given(st.lists(INVENTORIES, min_size=1, max_size=3))
@settings(deadline=None, max_examples=60)
def test_typed_events_are_read_back_from_the_database_as_they_were(events):
    store = event_store()
    result = store.append(cart(), events)
    first = result.version - len(events) + 1
    read = [recorded.event for recorded in store.read_stream(cart(), from_version=first)]
    assert read == events
    for before, after in zip(events, read, strict=True):
        assert isinstance(after, Inventoried)
        assert type(after.kind) is type(before.kind)
        assert type(after.ratio) is float
        assert str(after.exact) == str(before.exact)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "reading",
    [0, -1, 2**70, 0.5, 1.0, -0.25, 1e15, True, None, "", [], {}, [[]], {"": {}}],
    ids=repr,
)
def test_untyped_json_is_read_back_with_its_types(store: EventStore, reading):
    store.append(cart(), [measured(reading)])
    [recorded] = store.read_stream(cart())
    assert recorded.event == measured(reading)
    assert type(recorded.event.reading) is type(reading)
