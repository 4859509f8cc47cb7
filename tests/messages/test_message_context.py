"""Correlation, causation and user of what is handled now, and how they get into the metadata."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from events.context import MessageContext, current_context, message_context
from events.exceptions import EncodingError
from events.store.memory import MemoryEventStore
from tests.factories import cart, item_added


@pytest.fixture
def store() -> MemoryEventStore:
    return MemoryEventStore()


def stored_metadata(store, *events):
    store.append(cart(), events or [item_added()])
    return [dict(recorded.metadata) for recorded in store.read_stream(cart())]


def test_an_event_outside_of_any_context_starts_a_conversation(store):
    [metadata] = stored_metadata(store)
    assert UUID(metadata["correlation_id"]).version == 7
    assert (metadata["causation_id"], metadata["user_id"]) == (None, None)
    assert metadata.keys() == {"correlation_id", "causation_id", "user_id"}


def test_the_events_of_one_append_belong_to_one_conversation(store):
    first, second = stored_metadata(store, item_added(), item_added())
    assert first["correlation_id"] == second["correlation_id"]


def test_an_event_gets_the_context_with_its_free_keys(store):
    with message_context(correlation_id="c", causation_id="m", user_id="ann", source="import"):
        [metadata] = stored_metadata(store)
    assert metadata == {
        "correlation_id": "c",
        "causation_id": "m",
        "user_id": "ann",
        "source": "import",
    }


def test_metadata_of_the_event_wins_key_by_key(store):
    with message_context(correlation_id="c", user_id="ann", source="import"):
        [metadata] = stored_metadata(store, item_added(metadata={"user_id": "bob", "note": "x"}))
    assert metadata == {
        "correlation_id": "c",
        "causation_id": None,
        "user_id": "bob",
        "source": "import",
        "note": "x",
    }


@pytest.mark.parametrize("empty", [None, ""])
def test_an_event_without_a_correlation_of_its_own_joins_that_of_the_context(store, empty):
    """As the guide has it: `metadata.correlationId || generateId()`."""
    with message_context(correlation_id="c"):
        [metadata] = stored_metadata(store, item_added(metadata={"correlation_id": empty}))
    assert metadata["correlation_id"] == "c"


def test_appending_leaves_the_events_own_metadata_alone(store):
    event = item_added(metadata={"note": "x"})
    stored_metadata(store, event)
    assert event.metadata == {"note": "x"}


@pytest.mark.parametrize("key", ["correlationId", "causationId", "userId"])
def test_the_guides_spelling_of_a_name_with_a_meaning_is_refused_with_ours(store, key):
    """As a free key it would be stored, mean nothing, and overwrite the real one in JSON."""
    with pytest.raises(EncodingError, match=rf"metadata\.{key}: .*_id"):
        stored_metadata(store, item_added(metadata={key: "x"}))


def test_a_context_adds_to_the_one_around_it_and_ends_with_its_block():
    with message_context(correlation_id="c", user_id="ann", a=1):
        with message_context(causation_id="m", user_id="bob", b=2) as inner:
            assert inner is current_context()
            assert inner.metadata() == {
                "correlation_id": "c",
                "causation_id": "m",
                "user_id": "bob",
                "a": 1,
                "b": 2,
            }
        assert current_context() == MessageContext(
            correlation_id="c", user_id="ann", extra={"a": 1}
        )
    assert current_context() == MessageContext()


def test_a_context_ends_when_its_block_raises():
    with pytest.raises(ZeroDivisionError), message_context(user_id="ann"):
        _ = 1 / 0
    assert current_context() == MessageContext()


def test_free_keys_cannot_take_the_place_of_names_with_a_meaning():
    context = MessageContext(correlation_id="c", extra={"correlation_id": "x", "user_id": "x"})
    assert context.metadata() == {"correlation_id": "c", "causation_id": None, "user_id": None}


def test_threads_do_not_see_each_others_context():
    with message_context(user_id="ann"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(current_context).result() == MessageContext()


def test_coroutines_do_not_see_each_others_context():
    async def with_user(user_id, others):
        with message_context(user_id=user_id):
            others.append(user_id)
            while len(others) < 2:
                await asyncio.sleep(0)
            return current_context().user_id

    async def both():
        seen: list[str] = []
        return await asyncio.gather(with_user("ann", seen), with_user("bob", seen))

    assert asyncio.run(both()) == ["ann", "bob"]


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"user_id": 5}, "metadata.user_id: expected str, got int"),
        ({"correlation_id": UUID(int=1)}, "metadata.correlation_id: expected str, got UUID"),
        ({"causation_id": "x" * 201}, "metadata.causation_id: is longer than 200 characters"),
    ],
)
def test_a_context_that_cannot_be_stored_is_refused_by_name(store, context, message):
    with message_context(**context), pytest.raises(EncodingError) as caught:
        store.append(cart(), [item_added()])
    assert str(caught.value) == message


def test_a_free_key_that_is_not_json_is_refused_by_path(store):
    with (
        message_context(request={"started": object()}),
        pytest.raises(
            EncodingError, match=r"metadata\.request\.started: object isn't a JSON value"
        ),
    ):
        store.append(cart(), [item_added()])
