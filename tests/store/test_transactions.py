"""Appends inside of a transaction that the caller has opened."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from events.exceptions import ConcurrencyError, DuplicateEventId, EncodingError, InvalidInput
from events.models import AggregateVersion
from events.store.appending import StreamAppend
from events.streams import ExpectedVersion
from tests.factories import cart, items, measured


def groups(using="default"):
    return set(Group.objects.using(using).values_list("name", flat=True))


def versions(store, *numbers):
    return [store.stream_version(cart(number)) for number in numbers]


def test_events_and_rows_of_the_host_are_rolled_back_together(store):
    with transaction.atomic():
        Group.objects.create(name="customers")
        store.append(cart(1), items(2))
        store.append_to_streams([StreamAppend(cart(2), items(1)), StreamAppend(cart(3), items(1))])
        transaction.set_rollback(True)

    assert groups() == set()
    assert list(store.read_log()) == []
    assert versions(store, 1, 2, 3) == [-1, -1, -1]


def test_others_see_events_and_rows_of_the_host_when_both_are_committed(store, store_class, second):
    elsewhere = store_class(second)
    with transaction.atomic():
        store.append(cart(), items(2))
        Group.objects.create(name="customers")
        assert len(list(store.read_log())) == 2

        assert list(elsewhere.read_log()) == []
        assert elsewhere.stream_version(cart()) == -1
        assert groups(second) == set()

    assert len(list(elsewhere.read_log())) == 2
    assert elsewhere.stream_version(cart()) == 1
    assert groups(second) == {"customers"}


def test_an_append_without_a_transaction_is_committed_when_it_returns(store, store_class, second):
    store.append(cart(1), items(1))
    store.append_to_streams([StreamAppend(cart(2), items(1)), StreamAppend(cart(3), items(1))])

    elsewhere = store_class(second)
    assert versions(elsewhere, 1, 2, 3) == [0, 0, 0]
    assert len(list(elsewhere.read_log())) == 3


@pytest.mark.parametrize(
    ("append", "error"),
    [
        pytest.param(
            lambda store: store.append(cart(1), items(1), expected_version=5),
            ConcurrencyError,
            id="conflict",
        ),
        pytest.param(
            lambda store: store.append(cart(1), items(1), expected_version=-1),
            ConcurrencyError,
            id="stream exists",
        ),
        pytest.param(
            lambda store: store.append(
                cart(2), items(1), expected_version=ExpectedVersion.STREAM_EXISTS
            ),
            ConcurrencyError,
            id="no stream",
        ),
        pytest.param(
            lambda store: store.append_to_streams(
                [StreamAppend(cart(2), items(1)), StreamAppend(cart(1), items(1), 5)]
            ),
            ConcurrencyError,
            id="conflict of several",
        ),
        pytest.param(lambda store: store.append(cart(1), []), InvalidInput, id="no events"),
        pytest.param(
            lambda store: store.append(cart(1), [measured("\0")]), EncodingError, id="NUL"
        ),
    ],
)
def test_a_transaction_goes_on_after_a_refusal(store, nobody_listens, append, error):
    with transaction.atomic():
        store.append(cart(1), items(1))
        with pytest.raises(error):
            append(store)
        Group.objects.create(name="customers")
        store.append(cart(1), items(1), expected_version=0)

    assert groups() == {"customers"}
    assert versions(store, 1, 2) == [1, -1]
    assert len(list(store.read_log())) == 2


def test_a_transaction_goes_on_after_a_taken_id_when_the_append_had_a_savepoint(store):
    added = items(1)
    store.append(cart(9), added)

    with transaction.atomic():
        with pytest.raises(DuplicateEventId), transaction.atomic():
            store.append(cart(1), added)
        store.append(cart(1), items(1))

    assert versions(store, 1, 9) == [0, 0]


def test_a_savepoint_that_is_rolled_back_takes_its_events_and_no_others(store):
    with transaction.atomic():
        first = store.append(cart(), items(1))
        with transaction.atomic():
            store.append(cart(), items(3))
            transaction.set_rollback(True)
        last = store.append(cart(), items(1))

    assert last.version == 1
    assert [event.position for event in store.read_log()] == [*first.positions, *last.positions]


def test_a_replay_inside_of_the_same_transaction_gives_the_first_outcome(store):
    added = items(2)
    with transaction.atomic():
        first = store.append(cart(), added)
        again = store.append(cart(), added)

    assert again.replayed
    assert (again.version, again.positions) == (first.version, first.positions)
    assert len(list(store.read_log())) == 2


def test_ids_of_an_append_that_was_rolled_back_are_free(store):
    added = items(2)
    with transaction.atomic():
        store.append(cart(), added)
        transaction.set_rollback(True)

    assert not store.append(cart(), added).replayed


@pytest.mark.parametrize(
    "append",
    [
        pytest.param(lambda store, old: store.append(cart(1), old), id="replay"),
        pytest.param(
            lambda store, old: store.append(cart(1), old, expected_version=1),
            id="replay at the version of now",
        ),
        pytest.param(lambda store, old: store.append(cart(2), old), id="ids of another stream"),
        pytest.param(
            lambda store, old: store.append(cart(2), old, expected_version=-1),
            id="ids of another stream, no stream",
        ),
        pytest.param(
            lambda store, old: store.append(cart(3), old), id="ids of another stream, existing"
        ),
        pytest.param(
            lambda store, old: store.append(cart(1), [*old, *items(1)]), id="some new ids"
        ),
        pytest.param(
            lambda store, old: store.append(cart(1), items(1), expected_version=7), id="conflict"
        ),
        pytest.param(
            lambda store, old: store.append_to_streams(
                [StreamAppend(cart(2), items(1)), StreamAppend(cart(1), items(1), 7)]
            ),
            id="conflict of several",
        ),
        pytest.param(
            lambda store, old: store.append_to_streams(
                [StreamAppend(cart(2), items(1)), StreamAppend(cart(1), old)]
            ),
            id="replay of some",
        ),
    ],
)
def test_an_append_that_stores_nothing_leaves_no_trace(store, nobody_listens, append):
    old = items(2)
    store.append(cart(1), old)
    store.append(cart(3), items(1))
    streams = list(AggregateVersion.objects.order_by("id").values())
    log = list(store.read_log())

    with suppress(ConcurrencyError, DuplicateEventId):
        append(store, old)

    assert list(AggregateVersion.objects.order_by("id").values()) == streams
    assert list(store.read_log()) == log
