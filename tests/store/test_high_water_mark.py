"""How far readers of the log may go while appends are in flight, step by step, on PostgreSQL."""

from __future__ import annotations

from contextlib import ExitStack, suppress

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction

from events.exceptions import HighWaterMarkUnavailable
from events.store import schema
from events.store.appending import StreamAppend
from events.store.postgresql import PostgresEventStore
from tests.factories import cart, items
from tests.processes import eventually, new_event, running

pytestmark = pytest.mark.postgresql

MANY_APPENDS = 2_000
# Key of an advisory lock, far from those of the log.
PAUSE = 77


@pytest.fixture
def store(transactional_db):
    execute("SET lock_timeout = '10s'")
    yield PostgresEventStore()
    execute("RESET lock_timeout")


@pytest.fixture
def elsewhere(second):
    """The same store in another session. An append that waits for the one of the other session
    waits for its own thread: it shall fail."""
    execute("SET lock_timeout = '10s'", using=second)
    return PostgresEventStore(second)


def execute(statement, parameters=None, *, using="default"):
    with connections[using].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else None


def positions(store):
    return tuple(event.position for event in store.read_log())


def announcements():
    """How many appends hold readers back."""
    return execute(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        " WHERE locktype = 'advisory' AND mode = 'ShareLock' AND datname = current_database()"
    )[0][0]


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


def test_a_streams_own_events_are_read_while_another_append_is_open(store, elsewhere):
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


def test_an_append_that_was_refused_holds_no_reader_back(store, elsewhere):
    store.append(cart(), items(1))
    with transaction.atomic(using=elsewhere.using):
        with suppress(Exception):
            elsewhere.append(cart(), items(1), expected_version=9)
        with suppress(Exception):
            elsewhere.append_to_streams(
                [StreamAppend(cart(1), items(1)), StreamAppend(cart(2), items(1), 9)]
            )

        assert announcements() == 0
        assert store.append(cart(), items(1)).positions == (store.high_water_mark(),)


def test_a_savepoint_that_is_rolled_back_takes_its_announcement_away(store, elsewhere):
    with transaction.atomic(using=elsewhere.using):
        with transaction.atomic(using=elsewhere.using):
            elsewhere.append(cart(1), items(1))
            assert announcements() == 1
            transaction.set_rollback(True, using=elsewhere.using)

        assert announcements() == 0
        seen = store.append(cart(2), items(1)).positions
        assert positions(store) == seen

        own = elsewhere.append(cart(1), items(1)).positions
        assert announcements() == 1
        late = store.append(cart(2), items(1)).positions
        assert positions(store) == seen

    assert positions(store) == seen + own + late


def test_a_savepoint_that_is_rolled_back_leaves_the_announcement_made_before_it(store, elsewhere):
    with transaction.atomic(using=elsewhere.using):
        own = elsewhere.append(cart(1), items(1)).positions
        with transaction.atomic(using=elsewhere.using):
            elsewhere.append(cart(1), items(1))
            transaction.set_rollback(True, using=elsewhere.using)
        late = store.append(cart(2), items(1)).positions

        assert positions(store) == ()

    assert positions(store) == own + late


def test_a_savepoint_that_is_released_keeps_its_announcement(store, elsewhere):
    with transaction.atomic(using=elsewhere.using):
        with transaction.atomic(using=elsewhere.using):
            own = elsewhere.append(cart(1), items(1)).positions
        late = store.append(cart(2), items(1)).positions

        assert positions(store) == ()

    assert positions(store) == own + late


def test_thousands_of_appends_in_one_transaction_take_one_lock(store, elsewhere):
    with transaction.atomic():
        for number in range(MANY_APPENDS):
            store.append(cart(number), items(1))
        for number in range(MANY_APPENDS // 20):
            store.append_to_streams([StreamAppend(cart(number + n), items(1)) for n in (0, 1)])

        assert announcements() == 1
        assert positions(elsewhere) == ()

    assert announcements() == 0
    assert len(positions(elsewhere)) == MANY_APPENDS + MANY_APPENDS // 20 * 2


def test_an_append_that_waits_for_its_stream_holds_no_reader_back(store, elsewhere):
    with ExitStack() as processes:
        with transaction.atomic(using=elsewhere.using):
            elsewhere.append(cart(1), items(1))
            waiting = processes.enter_context(running(append_one, 1))
            eventually(lambda: execute("SELECT 1 FROM pg_locks WHERE NOT granted"))
            assert announcements() == 1

        assert waiting.result().version == 1
    assert len(positions(store)) == 2


def append_one(number):
    return PostgresEventStore().append(cart(number), items(1))


def test_an_append_that_comes_while_the_mark_is_determined_is_not_missed(store):
    """It may announce itself when the locks were looked at already. Its positions are then higher
    than the last one, because this was looked at before."""
    before = store.append(cart(1), items(1)).positions
    with ExitStack() as processes, transaction.atomic():
        execute("SELECT pg_advisory_lock(%s)", [PAUSE])
        reader = processes.enter_context(running(mark_with_a_pause_behind_the_locks))
        eventually(lambda: execute("SELECT 1 FROM pg_locks WHERE NOT granted"))
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


def test_advisory_locks_of_other_software_hold_no_reader_back(store, second):
    own_key = execute("SELECT events_lock_space('events_position_seq'::regclass) << 48")[0][0]
    result = store.append(cart(), items(1))
    foreign = [
        ("pg_advisory_xact_lock_shared(%s)", [1]),
        ("pg_advisory_xact_lock_shared(%s)", [-1]),
        ("pg_advisory_xact_lock(%s)", [2**40]),
        ("pg_advisory_xact_lock_shared(%s, %s)", [own_key >> 32, 0]),
        ("pg_advisory_xact_lock(%s)", [own_key]),
    ]
    with transaction.atomic(using=second):
        for function, key in foreign:
            execute(f"SELECT {function}", key, using=second)
        assert store.high_water_mark() == result.positions[-1]

    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [own_key])
        assert store.high_water_mark() == result.positions[-1]

    with transaction.atomic(using=second):
        execute("SELECT pg_advisory_xact_lock_shared(%s)", [own_key], using=second)
        assert store.high_water_mark() == 0


def test_an_append_in_a_prepared_transaction_holds_readers_back(store, elsewhere):
    """The locks of a transaction that waits for the second phase of its commit have no process.

    A server allows such transactions only where it is configured to, so that the reader's view of
    the locks is replaced here: temporary relations come before those of the system.
    """
    columns = "locktype, mode, classid, objid, objsubid, database"
    execute(
        f"CREATE TEMPORARY VIEW pg_locks AS"
        f" SELECT {columns}, NULL::integer AS pid FROM pg_catalog.pg_locks",
        using=elsewhere.using,
    )
    before = store.append(cart(1), items(1)).positions
    with transaction.atomic():
        store.append(cart(2), items(1))

        assert elsewhere.high_water_mark() == before[-1]


def test_another_log_in_the_same_database_holds_no_reader_back(store, elsewhere, second):
    execute("CREATE SCHEMA tenant")
    try:
        for table in ("events", "aggregate_versions"):
            execute(f"CREATE TABLE tenant.{table} (LIKE public.{table} INCLUDING ALL)")
        execute("SET search_path = tenant", using=second)
        with connections[second].schema_editor() as editor:
            schema.install_functions(None, editor)

        with transaction.atomic(using=second):
            assert elsewhere.append(cart(), items(1)).positions == (1,)
            result = store.append(cart(), items(1))
            assert positions(store) == result.positions

        assert positions(elsewhere) == (1,)
        assert elsewhere.stream_version(cart()) == 0
        with transaction.atomic(using=second):
            execute("SET LOCAL search_path = public", using=second)
            elsewhere.append(cart(2), items(1))
            execute("SET LOCAL search_path = tenant", using=second)
            elsewhere.append(cart(2), items(1))
            assert announcements() == 2
            store.append(cart(3), items(1))
            assert positions(store) == result.positions
    finally:
        execute("RESET search_path", using=second)
        execute("DROP SCHEMA tenant CASCADE")
