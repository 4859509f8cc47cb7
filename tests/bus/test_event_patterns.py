from __future__ import annotations

import pytest

from events.bus.patterns import Criterion, parse_pattern
from events.exceptions import InvalidInput
from events.messages import DomainEvent
from events.registry import check_type_name
from events.streams import StreamName
from tests.factories import ItemAdded, item_added, item_removed

from .samples import recorded

IN_CART = recorded(item_added(), StreamName("Cart", "1"))
IN_WISH_LIST = recorded(item_added(), StreamName("WishList", "1"))
REMOVED_FROM_CART = recorded(item_removed(), StreamName("Cart", "1"))
NOT_STORED = item_added()
EVENTS = [IN_CART, IN_WISH_LIST, REMOVED_FROM_CART, NOT_STORED]


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("*", EVENTS),
        (ItemAdded, [IN_CART, IN_WISH_LIST, NOT_STORED]),
        ("tests.ItemAdded", [IN_CART, IN_WISH_LIST, NOT_STORED]),
        ("Cart.*", [IN_CART, REMOVED_FROM_CART]),
        ("Cart.tests.ItemAdded", [IN_CART]),
        ("tests.*", []),
        ("ItemAdded", []),
        ("Car.*", []),
        ("cart.*", []),
        ("Cart.tests", []),
    ],
)
def test_a_pattern_matches_exactly_its_events(pattern, matched):
    parsed = parse_pattern(pattern)
    assert [event for event in EVENTS if parsed.matches(event)] == matched


def test_an_aggregate_type_can_hold_dots():
    sold = recorded(item_removed(), StreamName("shop.Cart", "1"))
    for pattern in ("shop.Cart.*", "shop.Cart.tests.ItemRemoved"):
        assert parse_pattern(pattern).matches(sold)
        assert not parse_pattern(pattern).matches(REMOVED_FROM_CART)


def test_the_criteria_are_all_ways_to_read_the_names():
    assert parse_pattern("a.b.c").criteria == (
        Criterion(None, "a.b.c"),
        Criterion("a", "b.c"),
        Criterion("a.b", "c"),
    )
    assert parse_pattern(ItemAdded).criteria == (Criterion(None, "tests.ItemAdded"),)


@pytest.mark.parametrize("name", ["A", "a.b", "shop.Sold2", "A_b._c.1", "U" * 100])
def test_whatever_can_be_the_name_of_a_type_is_a_pattern_for_it(name):
    check_type_name(name)
    assert Criterion(None, name) in parse_pattern(name).criteria


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "**",
        "User*",
        "*.UserRegistered",
        "User.Registered*",
        "User.",
        "User..UserRegistered",
        "User..*",
        ".UserRegistered",
        ".*",
        "User-1.*",
        "$all",
        "$all.*",
        "User:Registered",
        "User Registered",
        "1UserRegistered",
        "UserRegistered\n",
        "#",
        None,
        int,
        ("UserRegistered",),
        "U" * 101,
        f"User.{'U' * 101}",
    ],
)
def test_what_can_match_nothing_is_refused(pattern):
    with pytest.raises(InvalidInput) as refusal:
        parse_pattern(pattern)
    assert refusal.value.field == "pattern"


def test_a_class_that_was_not_declared_is_refused():
    with pytest.raises(InvalidInput, match="@event"):
        parse_pattern(DomainEvent)
