"""State comes from events alone, each by the method that is named after its class."""

from __future__ import annotations

from dataclasses import field
from decimal import Decimal
from typing import ClassVar

import pytest

from events.aggregates import EventSourcedAggregate, apply_method_name
from events.exceptions import InvalidInput, MissingApplyMethod, RegistrationError
from events.messages import DomainEvent
from events.registry import event, event_types
from tests.aggregates.basket import (
    Basket,
    BasketAbandoned,
    BasketViewed,
    LineAdded,
    LineRemoved,
    basket,
)


def test_a_new_aggregate_has_no_events():
    new = Basket("1")
    assert (new.id, str(new.stream), new.version) == ("1", "Basket-1", -1)
    assert new.uncommitted_events == ()


def test_a_decision_changes_the_state_and_waits_to_be_stored():
    decided = basket("pen", "ink")
    decided.remove("pen")
    assert decided.lines == {"ink": Decimal("1.50")}
    assert decided.total == Decimal("1.50")
    assert [type(event) for event in decided.uncommitted_events] == [
        LineAdded,
        LineAdded,
        LineRemoved,
    ]
    assert decided.version == -1


def test_a_decision_for_nothing_leaves_no_event():
    decided = basket()
    decided.remove("pen")
    assert decided.uncommitted_events == ()


def test_replayed_events_are_not_new():
    replayed = Basket("1")
    replayed.replay(enumerate([LineAdded(name="pen", price=Decimal(2)), LineRemoved(name="pen")]))
    assert (replayed.version, replayed.lines, replayed.uncommitted_events) == (1, {}, ())


def test_an_event_that_is_declared_ignored_changes_nothing_but_is_kept():
    viewed = basket("pen")
    viewed.add_event(BasketViewed())
    assert viewed.lines == {"pen": Decimal("1.50")}
    assert len(viewed.uncommitted_events) == 2


def test_an_event_without_an_apply_method_is_an_error_that_says_what_to_write():
    abandoned = basket("pen")
    with pytest.raises(MissingApplyMethod) as caught:
        abandoned.add_event(BasketAbandoned())
    assert str(caught.value) == (
        "Basket has no apply_basket_abandoned(self, event); "
        "write it, or list BasketAbandoned in `ignored_events`."
    )
    assert (caught.value.aggregate_class, caught.value.event_class) == (Basket, BasketAbandoned)
    assert len(abandoned.uncommitted_events) == 1
    with pytest.raises(MissingApplyMethod):
        abandoned.replay([(0, BasketAbandoned())])


def test_an_event_whose_apply_method_raises_is_not_kept():
    broken = basket("pen")
    with pytest.raises(KeyError):
        broken.add_event(LineRemoved(name="ink"))
    assert len(broken.uncommitted_events) == 1


@pytest.mark.parametrize(
    ("class_name", "method"),
    [
        ("UserRegistered", "apply_user_registered"),
        ("HTTPRequestSent", "apply_http_request_sent"),
        ("Order2Placed", "apply_order2_placed"),
        ("SentHTTP", "apply_sent_http"),
        ("Moved", "apply_moved"),
        ("A", "apply_a"),
    ],
)
def test_the_apply_method_is_named_after_the_event_class(class_name, method):
    assert apply_method_name(type(class_name, (DomainEvent,), {})) == method


def test_the_uncommitted_events_cannot_be_changed_from_outside():
    decided = basket("pen")
    with pytest.raises(AttributeError):
        decided.uncommitted_events.append(BasketViewed())
    with pytest.raises(AttributeError):
        decided.uncommitted_events = ()
    with pytest.raises(AttributeError):
        decided.version = 5


def test_an_aggregate_id_that_cannot_name_a_stream_is_refused():
    for aggregate_id in ("", "a\nb", "x" * 256, None):
        with pytest.raises(InvalidInput, match="aggregate_id"):
            Basket(aggregate_id)


@event("tests.Summed")
class Summed(DomainEvent):
    """Has a field that is computed, and neither given nor stored."""

    numbers: list[int]
    total: list[int] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.total.append(sum(self.numbers))


class Sums(EventSourcedAggregate):
    aggregate_type = "Sums"
    last: int = 0

    def apply_summed(self, event: Summed) -> None:
        [self.last] = event.total


def test_an_event_may_have_a_field_that_is_computed():
    sums = Sums("1")
    sums.add_event(Summed(numbers=[1, 2]))
    assert sums.last == 3
    assert event_types.encode(sums.uncommitted_events[0]) == {"numbers": [1, 2]}


# --- subclasses ---


class GiftBasket(Basket):
    aggregate_type = "GiftBasket"
    ignored_events = frozenset({BasketAbandoned})

    wrapped: bool = False

    def apply_line_added(self, event: LineAdded) -> None:
        super().apply_line_added(event)
        self.wrapped = True

    def apply_basket_viewed(self, event: BasketViewed) -> None:
        self.wrapped = False


def test_a_subclass_applies_with_its_own_methods_and_its_parent_with_the_parents():
    parent, child = Basket("1"), GiftBasket("1")
    for each in (parent, child):
        each.add("pen")
    assert child.wrapped
    assert not hasattr(parent, "wrapped")
    child.add_event(BasketViewed())
    child.add_event(BasketAbandoned())
    assert not child.wrapped
    with pytest.raises(MissingApplyMethod):
        parent.add_event(BasketAbandoned())


def test_an_event_that_is_both_applied_and_ignored_is_refused_at_the_declaration():
    with pytest.raises(RegistrationError, match=r"Confused.*LineAdded"):

        class Confused(Basket):
            ignored_events = frozenset({LineAdded})


def test_a_default_that_all_aggregates_would_share_is_refused_at_the_declaration():
    with pytest.raises(RegistrationError, match=r"Shared\.lines"):

        class Shared(EventSourcedAggregate):
            aggregate_type = "Shared"
            lines: list[str] = []


def test_an_aggregate_without_a_type_is_refused_with_what_to_write():
    class Nameless(EventSourcedAggregate):
        pass

    with pytest.raises(RegistrationError, match=r"Nameless.*aggregate_type"):
        Nameless("1")


def test_an_abstract_aggregate_may_leave_the_type_to_its_subclasses():
    class Abstract(EventSourcedAggregate):
        names: tuple[str, ...] = ()
        shared: ClassVar[list[str]] = []

    class Concrete(Abstract):
        aggregate_type = "Concrete"

    assert Concrete("1").names == ()
