"""How far readers of the log may go while appends are in flight, step by step, on PostgreSQL."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from events.exceptions import HighWaterMarkUnavailable
from events.store.appending import StreamAppend
from events.store.postgresql import PostgresEventStore
from tests.factories import cart, items
from tests.processes import eventually, new_event, running
from tests.store.sessions import execute, waiting_for_a_lock

pytestmark = pytest.mark.postgresql

# Key of an advisory lock, far from those of the log.
PAUSE = 77


@pytest.fixture
def store(postgresql_store):
    return postgresql_store


def positions(store):
    return tuple(event.position for event in store.read_log())


@pytest.mark.parametrize("several", [False, True], ids=["one stream", "several streams"])
def test_events_behind_an_open_append_wait_until_it_is_committed(store, elsewhere, several):
    before = store.append(cart(0), items(1)).positions
    with transaction.atomic(using=elsewhere.using):
        appends = [StreamAppend(cart(1), items(2)), StreamAppend(cart(2), items(1))]
        results = elsewhere.append_to_streams(appends if several else appends[:1])
        early = tuple(position for result in results for position in result.positions)
        late = store.append(cart(3), items(1)).positions

        assert early < late
        assert store.high_water_mark() == before[-1]
        assert positions(store) == before
        assert store.read_page("$all", position=before[-1] + 1).next_position == before[-1] + 1

    assert store.high_water_mark() == late[-1]
    assert positions(store) == before + early + late


def test_events_behind_an_open_append_are_read_once_it_is_rolled_back(store, elsewhere):
    with transaction.atomic(using=elsewhere.using):
        elsewhere.append(cart(1), items(1))
        late = store.append(cart(2), items(1)).positions
        assert positions(store) == ()
        transaction.set_rollback(True, using=elsewhere.using)

    assert store.high_water_mark() == late[-1]
    assert positions(store) == late


def test_the_earliest_of_several_open_appends_counts(store, elsewhere):
    with transaction.atomic():
        first = store.append(cart(1), items(1)).positions
        with transaction.atomic(using=elsewhere.using):
            second = elsewhere.append(cart(2), items(1)).positions
            assert elsewhere.high_water_mark() < first[0]
            assert store.high_water_mark() == first[-1]
        assert elsewhere.high_water_mark() < first[0]

    assert positions(store) == first + second


def test_an_open_append_holds_up_neither_appends_to_other_streams_nor_reads_of_them(
    store, elsewhere
):
    with transaction.atomic(using=elsewhere.using):
        elsewhere.append(cart(1), items(1))
        store.append(cart(2), items(2))

        assert len(list(store.read_stream(cart(2)))) == 2
        assert store.stream_version(cart(2)) == 1


def test_a_reader_sees_its_own_events_before_they_are_committed(store):
    with transaction.atomic():
        own = store.append(cart(), items(2)).positions

        assert store.high_water_mark() == own[-1]
        assert positions(store) == own


def test_an_open_transaction_that_appends_nothing_holds_no_reader_back(store, second):
    with transaction.atomic(using=second):
        Group.objects.using(second).create(name="customers")
        result = store.append(cart(), items(1))

        assert store.high_water_mark() == result.positions[-1]
        assert positions(store) == result.positions


def test_an_append_that_comes_while_the_mark_is_determined_is_not_missed(store):
    """It may announce itself when the locks were looked at already. Its positions are then higher
    than the last one, because this was looked at before."""
    before = store.append(cart(1), items(1)).positions
    with ExitStack() as processes, transaction.atomic():
        execute("SELECT pg_advisory_lock(%s)", [PAUSE])
        reader = processes.enter_context(running(mark_with_a_pause_behind_the_locks))
        eventually(waiting_for_a_lock)
        store.append(cart(2), items(1))
        execute("SELECT pg_advisory_unlock(%s)", [PAUSE])

        assert reader.result() == before[-1]


def mark_with_a_pause_behind_the_locks():
    # Temporary relations come before those of the system.
    execute(
        f"""
        CREATE TEMPORARY VIEW pg_locks AS
        WITH locks AS MATERIALIZED (SELECT * FROM pg_catalog.pg_locks),
        pause AS MATERIALIZED (SELECT pg_advisory_lock_shared({PAUSE}), count(*) FROM locks)
        SELECT locks.* FROM pause, locks
        """
    )
    return PostgresEventStore().high_water_mark()


def test_a_writer_that_is_killed_in_its_transaction_holds_readers_back_no_longer(store):
    appended = new_event()
    with running(append_and_stay, appended) as writer:
        assert appended.wait(60)
        late = store.append(cart(2), items(1)).positions
        assert positions(store) == ()

        writer.kill()
        eventually(lambda: store.high_water_mark() == late[-1])

    assert positions(store) == late


def append_and_stay(appended):
    with transaction.atomic():
        PostgresEventStore().append(cart(1), items(1))
        appended.set()
        new_event().wait()


def test_a_sequence_that_was_never_used_has_the_mark_0(store, elsewhere):
    execute("ALTER SEQUENCE events_position_seq RESTART")
    assert store.high_water_mark() == 0
    assert store.read_page("$all").next_position == 1

    with transaction.atomic(using=elsewhere.using):
        first = elsewhere.append(cart(1), items(1)).positions
        assert first == (1,)
        late = store.append(cart(2), items(1)).positions
        assert store.high_water_mark() == 0
        assert positions(store) == ()

    assert positions(store) == first + late


def test_a_first_append_that_is_rolled_back_leaves_a_gap_and_no_obstacle(store):
    execute("ALTER SEQUENCE events_position_seq RESTART")
    with transaction.atomic():
        store.append(cart(), items(1))
        transaction.set_rollback(True)

    assert positions(store) == ()
    result = store.append(cart(), items(1))
    assert (result.version, result.positions) == (0, (2,))
    assert positions(store) == (2,)


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_frozen_snapshot_is_refused_because_it_would_miss_events(store, level):
    reads = (
        store.high_water_mark,
        store.read_log,
        lambda: store.read_log(category="Cart", backwards=True),
        lambda: store.read_page("$all"),
        lambda: store.read_page("Cart"),
    )
    refused = pytest.raises(HighWaterMarkUnavailable, match="READ COMMITTED")
    with transaction.atomic():
        execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
        for read in reads:
            with refused, transaction.atomic():
                read()
        assert list(store.read_stream(cart())) == []


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_an_append_under_a_frozen_snapshot_holds_readers_back_like_any_other(
    store, elsewhere, level
):
    with transaction.atomic(using=elsewhere.using):
        execute(f"SET TRANSACTION ISOLATION LEVEL {level}", using=elsewhere.using)
        assert elsewhere.stream_version(cart(1)) == -1
        before = store.append(cart(2), items(1)).positions
        own = elsewhere.append(cart(1), items(1)).positions
        late = store.append(cart(2), items(1)).positions

        assert positions(store) == before

    assert positions(store) == before + own + late
