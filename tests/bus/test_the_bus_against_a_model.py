"""Any sequence of subscribe, unsubscribe, clear and publish does what a plain list would do."""

from __future__ import annotations

import fnmatch

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from events.bus.memory import InMemoryEventBus
from events.streams import StreamName
from tests.factories import item_added, item_removed

from .samples import recorded

PATTERNS = ["*", "Cart.*", "WishList.*", "tests.ItemAdded", "Cart.tests.ItemAdded"]
HANDLERS = ["a", "b", "c"]
EVENTS = [
    recorded(make(), StreamName(aggregate_type, "1"))
    for make in (item_added, item_removed)
    for aggregate_type in ("Cart", "WishList")
]


class BusMachine(RuleBasedStateMachine):
    handles = Bundle("handles")

    def __init__(self):
        super().__init__()
        self.bus = InMemoryEventBus()
        self.calls = []
        self.handlers = {name: self.handler(name) for name in HANDLERS}
        #: Of the model: (handle, pattern, handler's name, priority, filtered), oldest first.
        self.subscribed = []
        self.published = self.processed = self.filtered = 0

    def handler(self, name):
        return lambda event: self.calls.append((name, event))

    @rule(
        target=handles,
        pattern=st.sampled_from(PATTERNS),
        name=st.sampled_from(HANDLERS),
        priority=st.integers(-2, 2),
        only_in_wish_lists=st.booleans(),
    )
    def subscribe(self, pattern, name, priority, only_in_wish_lists):
        handle = self.bus.subscribe(
            pattern,
            self.handlers[name],
            priority=priority,
            filter=is_in_a_wish_list if only_in_wish_lists else None,
            timeout_seconds=None,
        )
        self.subscribed.append((handle, pattern, name, priority, only_in_wish_lists))
        return handle

    @rule(handle=handles)
    def unsubscribe_by_handle(self, handle):
        handle.unsubscribe()
        self.subscribed = [each for each in self.subscribed if each[0] is not handle]

    @rule(pattern=st.sampled_from(PATTERNS), name=st.sampled_from(HANDLERS))
    def unsubscribe_by_pattern(self, pattern, name):
        kept = [each for each in self.subscribed if each[1:3] != (pattern, name)]
        ended = self.bus.unsubscribe(pattern, self.handlers[name])
        assert ended == (len(kept) < len(self.subscribed))
        self.subscribed = kept

    @rule()
    def clear(self):
        self.bus.clear()
        self.subscribed = []
        self.published = self.processed = self.filtered = 0

    @rule(event=st.sampled_from(EVENTS))
    def publish(self, event):
        self.calls.clear()
        result = self.bus.publish(event)

        names = (f"{event.aggregate_type}.{event.event_type}", event.event_type)
        expected = [
            each
            for each in sorted(self.subscribed, key=lambda each: -each[3])
            if any(fnmatch.fnmatchcase(name, each[1]) for name in names)
        ]
        wanted = [each for each in expected if not each[4] or is_in_a_wish_list(event)]
        assert [outcome.subscription for outcome in result.outcomes] == [
            handle for handle, *_ in expected
        ]
        assert self.calls == [(each[2], event) for each in wanted]
        self.published += 1
        self.processed += len(wanted)
        self.filtered += len(expected) - len(wanted)

    @invariant()
    def the_metrics_are_those_of_the_model(self):
        metrics = self.bus.metrics()
        assert metrics.events_published == self.published
        assert metrics.events_processed == self.processed
        assert metrics.filtered == self.filtered
        assert len(metrics.subscriptions) == len(self.subscribed)


def is_in_a_wish_list(event):
    return event.aggregate_type == "WishList"


TestBus = BusMachine.TestCase
TestBus.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
