"""When an append is refused because its stream is not what the caller expects."""

from __future__ import annotations

import pytest

from events.exceptions import ConcurrencyError, InvalidInput
from events.store.appending import StreamAppend
from events.streams import ExpectedVersion
from tests.factories import cart, items

ACCEPTED = [
    (0, ExpectedVersion.NO_STREAM),
    (0, ExpectedVersion.ANY),
    (1, 0),
    (3, 2),
    (3, ExpectedVersion.ANY),
    (3, ExpectedVersion.STREAM_EXISTS),
]
REFUSED = [
    (0, 0, 0),
    (0, 7, 7),
    (0, ExpectedVersion.STREAM_EXISTS, "STREAM_EXISTS"),
    (1, ExpectedVersion.NO_STREAM, "NO_STREAM"),
    (1, 1, 1),
    (3, 0, 0),
    (3, 1, 1),
    (3, 3, 3),
    (3, 2**63, 2**63),
    (0, 2**80, 2**80),
]


def append_one(store, version):
    return store.append(cart(), items(2), expected_version=version)


def append_with_another(store, version):
    """The other stream comes last: its events must not be kept when this one is refused."""
    appends = [StreamAppend(cart(), items(2), version), StreamAppend(cart("other"), items(1))]
    return store.append_to_streams(appends)[0]


@pytest.fixture(params=[append_one, append_with_another], ids=["one stream", "several streams"])
def append(request):
    return request.param


@pytest.mark.parametrize(("existing", "expected"), ACCEPTED)
def test_an_append_to_a_stream_as_expected_is_stored(store, append, existing, expected):
    if existing:
        store.append(cart(), items(existing))

    result = append(store, expected)

    assert result.version == store.stream_version(cart()) == existing + 1
    assert len(list(store.read_stream(cart()))) == existing + 2


@pytest.mark.parametrize(("existing", "expected", "described"), REFUSED)
def test_an_append_to_another_version_is_refused(store, append, existing, expected, described):
    if existing:
        store.append(cart(), items(existing))

    with pytest.raises(ConcurrencyError) as refused:
        append(store, expected)

    assert refused.value.stream == cart()
    assert refused.value.expected == described
    assert refused.value.actual == existing - 1
    assert len(list(store.read_log())) == existing
    assert store.stream_version(cart()) == existing - 1
    assert store.stream_version(cart("other")) == -1


@pytest.mark.parametrize("expected", [-3, -5])
def test_a_number_that_is_no_version_is_refused(store, append, expected):
    with pytest.raises(InvalidInput) as refused:
        append(store, expected)

    assert refused.value.field == "expected_version"
    assert str(expected) in str(refused.value)


def test_the_error_says_which_stream_what_was_expected_and_what_is_there(store):
    store.append(cart(), items(3))

    with pytest.raises(ConcurrencyError) as refused:
        store.append(cart(), items(1), expected_version=1)
    assert str(refused.value) == "Expected Cart-cart-1 at version 1, but it is at version 2."

    with pytest.raises(ConcurrencyError) as refused:
        store.append(cart(2), items(1), expected_version=4)
    assert str(refused.value) == "Expected Cart-cart-2 at version 4, but it is without events."


def test_a_refused_append_can_be_repeated_at_the_actual_version(store):
    store.append(cart(), items(1))
    added = items(1)
    with pytest.raises(ConcurrencyError) as refused:
        store.append(cart(), added, expected_version=5)

    result = store.append(cart(), added, expected_version=refused.value.actual)

    assert (result.version, result.replayed) == (1, False)
