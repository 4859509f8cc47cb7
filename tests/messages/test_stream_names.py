from __future__ import annotations

from uuid import UUID

import pytest

from events.exceptions import InvalidInput
from events.streams import StreamName


def test_a_name_is_written_category_dash_id():
    name = StreamName("Order", UUID(int=1))
    assert str(name) == "Order-00000000-0000-0000-0000-000000000001"
    assert name.aggregate_id == "00000000-0000-0000-0000-000000000001"
    assert StreamName.parse(str(name)) == name


def test_the_category_ends_at_the_first_dash():
    assert StreamName.parse("Order-2026-03-1") == StreamName("Order", "2026-03-1")


@pytest.mark.parametrize(
    "aggregate_id", ["1", "a b", "übung", "订单", "x" * 255, "🦊", "%s", "a/b?c#d"]
)
def test_an_id_is_any_printable_text(aggregate_id):
    assert StreamName.parse(f"Order-{aggregate_id}").aggregate_id == aggregate_id


@pytest.mark.parametrize(
    ("aggregate_type", "aggregate_id", "field", "reason"),
    [
        ("", "1", "aggregate_type", "must be a non-empty string"),
        (None, "1", "aggregate_type", "must be a non-empty string"),
        ("x" * 101, "1", "aggregate_type", "has 101 characters, at most 100 are allowed"),
        ("My-Order", "1", "aggregate_type", "holds a '-' or starts with '$'"),
        ("$all", "1", "aggregate_type", "holds a '-' or starts with '$'"),
        ("Or\nder", "1", "aggregate_type", "holds characters that can't be printed"),
        ("Order", "", "aggregate_id", "must be a non-empty string"),
        ("Order", "x" * 256, "aggregate_id", "has 256 characters, at most 255 are allowed"),
        ("Order", "a\0b", "aggregate_id", "holds characters that can't be printed"),
        ("Order", "\ud800", "aggregate_id", "holds characters that can't be printed"),
        ("Order", None, "aggregate_id", "must be a non-empty string"),
        ("Order", 5, "aggregate_id", "must be a non-empty string"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(aggregate_type, aggregate_id, field, reason):
    with pytest.raises(InvalidInput) as caught:
        StreamName(aggregate_type, aggregate_id)
    assert caught.value.field == field
    assert reason in str(caught.value)


@pytest.mark.parametrize("name", ["Order", "", "-1", "Order-"])
def test_text_that_is_no_stream_name_is_not_parsed(name):
    with pytest.raises(InvalidInput):
        StreamName.parse(name)
