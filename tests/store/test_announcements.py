"""What appends tell readers by their locks: once a transaction, and not for longer than needed."""

from __future__ import annotations

from contextlib import ExitStack, suppress

import pytest
from django.db import connection, connections, transaction

from events.exceptions import ConcurrencyError
from events.store import schema
from events.store.appending import StreamAppend
from events.store.postgresql import PostgresEventStore
from tests.factories import cart, items
from tests.processes import eventually, running
from tests.store.sessions import announcements, execute, waiting_for_a_lock

pytestmark = pytest.mark.postgresql

MANY_APPENDS = 2_000


@pytest.fixture
def store(postgresql_store):
    return postgresql_store


def positions(store):
    return tuple(event.position for event in store.read_log())


def test_an_append_that_was_refused_holds_no_reader_back(store, elsewhere):
    store.append(cart(), items(1))
    with transaction.atomic(using=elsewhere.using):
        with suppress(ConcurrencyError):
            elsewhere.append(cart(), items(1), expected_version=9)
        with suppress(ConcurrencyError):
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
            eventually(waiting_for_a_lock)
            assert announcements() == 1

        assert waiting.result().version == 1
    assert len(positions(store)) == 2


def append_one(number):
    return PostgresEventStore().append(cart(number), items(1))


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
