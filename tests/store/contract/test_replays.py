"""The same event ids again: the first outcome, and nothing stored."""

from __future__ import annotations

import pytest

from events.exceptions import ConcurrencyError, DuplicateEventId
from events.store.appending import StreamAppend, collecting_appends
from events.streams import ExpectedVersion
from tests.factories import cart, item_added, items


def outcome(result):
    return result.stream, result.version, result.positions, result.recorded_at


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param(ExpectedVersion.NO_STREAM, id="no stream"),
        pytest.param(ExpectedVersion.ANY, id="any"),
        pytest.param(ExpectedVersion.STREAM_EXISTS, id="stream exists"),
        pytest.param(0, id="the version of then"),
        pytest.param(1, id="a version between"),
        pytest.param(2, id="the version after it"),
        pytest.param(3, id="the version of now"),
        pytest.param(9, id="a version that never was"),
    ],
)
def test_a_replay_gives_the_first_outcome_whatever_is_expected(store, expected):
    store.append(cart(), items(1))
    added = items(2)
    first = store.append(cart(), added, expected_version=0)
    store.append(cart(), items(1))

    again = store.append(cart(), added, expected_version=expected)

    assert outcome(again) == outcome(first)
    assert (first.replayed, again.replayed) == (False, True)
    assert store.stream_version(cart()) == 3
    assert len(list(store.read_log())) == 4


def test_a_replay_right_after_the_first_append_stores_nothing(store):
    added = items(2)
    first = store.append(cart(), added)

    again = store.append(cart(), added, expected_version=first.version)

    assert outcome(again) == outcome(first)
    assert again.replayed
    assert store.stream_version(cart()) == 1


def test_a_stream_goes_on_after_a_replay(store):
    added = items(2)
    store.append(cart(), added)
    store.append(cart(), added)

    result = store.append(cart(), items(1), expected_version=1)

    assert (result.version, result.replayed) == (2, False)


def test_some_of_the_events_of_an_append_are_a_replay_of_these(store):
    added = items(3)
    first = store.append(cart(), added)

    again = store.append(cart(), added[:2])

    assert again.replayed
    assert (again.version, again.positions) == (1, first.positions[:2])


def test_replays_are_collected_like_first_appends(store):
    added = items(1)
    store.append(cart(), added)

    with collecting_appends() as results:
        again = store.append(cart(), added)

    assert results == [again]


@pytest.mark.parametrize(
    "expected",
    [ExpectedVersion.ANY, ExpectedVersion.STREAM_EXISTS, ExpectedVersion.NO_STREAM, 1, 5],
)
def test_stored_and_new_ids_together_are_refused(store, savepoint, expected):
    added = items(2)
    store.append(cart(), added)

    with pytest.raises(DuplicateEventId) as refused, savepoint():
        store.append(cart(), [*added, item_added()], expected_version=expected)

    assert refused.value.stream == cart()
    assert len(list(store.read_log())) == 2
    assert store.stream_version(cart()) == 1


@pytest.mark.parametrize("existing", [0, 2])
@pytest.mark.parametrize("expected", [ExpectedVersion.ANY, "exact"])
def test_ids_of_another_stream_are_refused(store, savepoint, existing, expected):
    added = items(2)
    store.append(cart("other"), added)
    if existing:
        store.append(cart(), items(existing))

    version = existing - 1 if expected == "exact" else expected
    with pytest.raises(DuplicateEventId) as refused, savepoint():
        store.append(cart(), added, expected_version=version)

    assert refused.value.stream == cart()
    assert store.stream_version(cart()) == existing - 1
    assert len(list(store.read_log())) == existing + 2


def test_the_error_of_a_taken_id_names_the_stream(store, savepoint):
    added = items(1)
    store.append(cart("other"), added)

    with pytest.raises(DuplicateEventId, match="Cart-cart-1 ") as refused, savepoint():
        store.append(cart(), added)

    assert isinstance(refused.value, DuplicateEventId)
    assert not isinstance(refused.value, ConcurrencyError)


def test_a_replay_of_several_streams_gives_their_first_outcomes(store):
    appends = [StreamAppend(cart(number), items(2)) for number in (2, 1, 3)]
    first = store.append_to_streams(appends)
    store.append(cart(1), items(1))

    again = store.append_to_streams(appends)

    assert [outcome(result) for result in again] == [outcome(result) for result in first]
    assert all(result.replayed for result in again)
    assert len(list(store.read_log())) == 7


@pytest.mark.parametrize("expected", [ExpectedVersion.NO_STREAM, ExpectedVersion.ANY, 0, 1, 9])
def test_a_replay_of_several_streams_does_not_look_at_the_versions(store, expected):
    appends = [StreamAppend(cart(number), items(2)) for number in (2, 1)]
    first = store.append_to_streams(appends)

    again = store.append_to_streams(
        [StreamAppend(append.stream, append.events, expected) for append in appends]
    )

    assert [outcome(result) for result in again] == [outcome(result) for result in first]


def test_streams_stored_one_by_one_are_replayed_together_and_the_other_way_round(store):
    appends = [StreamAppend(cart(number), items(1)) for number in (1, 2)]
    first = [store.append(append.stream, append.events) for append in appends]

    together = store.append_to_streams(appends[::-1])
    alone = store.append(appends[0].stream, appends[0].events)

    assert [outcome(result) for result in together[::-1]] == [outcome(result) for result in first]
    assert outcome(alone) == outcome(first[0])


@pytest.mark.parametrize("stored_index", [0, 1])
def test_several_streams_of_which_one_was_stored_are_refused(store, savepoint, stored_index):
    appends = [StreamAppend(cart(number), items(1)) for number in (1, 2)]
    store.append(appends[stored_index].stream, appends[stored_index].events)

    with pytest.raises(DuplicateEventId), savepoint():
        store.append_to_streams(appends)

    assert len(list(store.read_log())) == 1
    assert store.stream_version(appends[1 - stored_index].stream) == -1
