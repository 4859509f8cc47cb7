"""`events_appended`: what receivers are told, and that they take part in the append."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from events.signals import events_appended
from events.store.appending import StreamAppend
from tests.factories import cart, items


@pytest.fixture
def connect():
    """Connects receivers until the test ends."""
    receivers = []

    def connect(receiver):
        receivers.append(receiver)
        events_appended.connect(receiver)

    yield connect
    for receiver in receivers:
        events_appended.disconnect(receiver)


@pytest.fixture
def sent(connect):
    calls = []

    def remember(sender, events, using, **kwargs):
        calls.append((sender, events, using, connection.in_atomic_block))

    connect(remember)
    return calls


def test_receivers_get_what_a_read_would_give_inside_of_the_transaction(store, sent):
    store.append(cart(), items(1))
    store.append(cart(), items(3))

    stored = list(store.read_log())
    assert sent == [
        (type(store), stored[:1], "default", True),
        (type(store), stored[1:], "default", True),
    ]


def test_several_appends_at_once_are_one_signal_in_the_order_of_the_log(store, sent):
    store.append_to_streams(
        [StreamAppend(cart(number), items(2)) for number in (3, 1, 2)],
    )

    assert [events for _, events, _, _ in sent] == [list(store.read_log())]


def test_what_is_replayed_is_not_sent_again(store, sent):
    added = items(1)
    store.append(cart(), added)
    store.append(cart(), added)

    assert len(sent) == 1


def test_what_a_receiver_writes_is_stored_with_the_events(store, connect):
    def count(events, **kwargs):
        Group.objects.create(name=f"{len(events)} events")

    connect(count)
    store.append(cart(), items(2))

    assert Group.objects.get().name == "2 events"


@pytest.mark.parametrize("several", [False, True])
def test_a_receiver_that_raises_undoes_the_append(store, connect, several):
    def refuse(**kwargs):
        Group.objects.create(name="customers")
        raise RuntimeError("no")

    connect(refuse)
    appends = [StreamAppend(cart(number), items(1)) for number in (1, 2)]
    with pytest.raises(RuntimeError, match="no"):
        store.append_to_streams(appends if several else appends[:1])

    assert list(store.read_log()) == []
    assert store.stream_version(cart(1)) == -1
    assert not Group.objects.exists()
