"""How PostgreSQL finds what a read asks for: never by walking the log past all other events."""

from __future__ import annotations

import re
from functools import partial

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings

from events.store.postgresql import PostgresEventStore
from events.streams import StreamName
from tests.processes import eventually
from tests.store.sessions import execute

pytestmark = pytest.mark.postgresql

ADDED, REMOVED, MEASURED = "tests.ItemAdded", "tests.ItemRemoved", "tests.Measured"

READS = {
    "category": (
        "events_category",
        lambda store, **bounds: store.read_log(category="Cart", **bounds),
    ),
    "one type": (
        "events_event_type",
        lambda store, **bounds: store.read_log(event_types=[ADDED], **bounds),
    ),
    "several types": (
        "events_event_type",
        lambda store, **bounds: store.read_log(event_types=[ADDED, MEASURED], **bounds),
    ),
    "category with type": (
        "events_event_type",
        lambda store, **bounds: store.read_log(category="Cart", event_types=[ADDED], **bounds),
    ),
    "category with types": (
        "events_event_type",
        lambda store, **bounds: store.read_log(
            category="Cart", event_types=[ADDED, MEASURED], **bounds
        ),
    ),
}
ALL_READS = {
    **READS,
    "correlation": (
        "events_correlation",
        lambda store, limit: store.read_correlated("c", limit=limit),
    ),
    "cause": ("events_causation", lambda store, limit: store.read_caused_by("m", limit=limit)),
}

_ROWS = """
    INSERT INTO events (
        event_id, aggregate_id, aggregate_type, event_type, correlation_id, causation_id,
        event_version, sequence_number, event_data, metadata, occurred_on, recorded_at
    )
    SELECT gen_random_uuid(), gen_random_uuid(), %s, %s, %s, %s, 1, 0, '{}', '{}', now(), now()
    FROM generate_series(1, %s)
"""


def store_rows(*values, count=2000):
    execute(_ROWS, [*values, count])


def vacuum():
    """As a server has done after a while: at once it can't, as long as an autovacuum looks on."""
    eventually(_all_is_visible)


def _all_is_visible():
    execute("VACUUM ANALYZE events")
    [(visible,)] = execute(
        "SELECT relallvisible = relpages FROM pg_class WHERE oid = 'events'::regclass"
    )
    return visible


@pytest.fixture
def store(transactional_db):
    """What was frequent once, and then an age of other events, with the statistics of both."""
    connection.close()
    store_rows("Cart", ADDED, "c", "m")
    store_rows("Order", REMOVED, "d", "n")
    vacuum()
    return PostgresEventStore()


def plans(read):
    """Of the statements about events that the read sends: planned for these values, and for any."""
    list(read())
    prepared = execute(
        "SELECT name, cardinality(parameter_types) FROM pg_prepared_statements "
        "WHERE statement LIKE '%FROM events %'"
    )
    with (
        override_settings(EVENTS={"prepare_statements": False}),
        CaptureQueriesContext(connection) as captured,
    ):
        list(read())
    with_values = [sql["sql"] for sql in captured.captured_queries if "FROM events " in sql["sql"]]
    for_any = [f"EXECUTE {name} ({', '.join(['NULL'] * count)})" for name, count in prepared]
    assert with_values
    assert for_any
    return [plan_of(statement) for statement in (*with_values, *for_any)]


def plan_of(statement):
    with transaction.atomic():
        execute("SET LOCAL plan_cache_mode = force_generic_plan")
        return "\n".join(line for (line,) in execute(f"EXPLAIN {statement}"))


def check(plan, index):
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan
    assert "Bitmap" not in plan, plan
    # Only for rows whose positions are known.
    if "events_pkey" in plan:
        assert 'Index Cond: ("position" = ANY' in plan, plan


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("name", READS)
def test_what_was_frequent_once_is_a_range_of_its_index(store, name, backwards):
    index, read = READS[name]
    for plan in plans(lambda: read(store, backwards=backwards, limit=100)):
        check(plan, index)


@pytest.mark.parametrize("name", ["correlation", "cause"])
def test_a_conversation_is_a_range_of_its_index(store, name):
    index, read = ALL_READS[name]
    for plan in plans(lambda: read(store, limit=100)):
        check(plan, index)


@pytest.mark.parametrize("types", [None, [ADDED], [ADDED, MEASURED]], ids=repr)
def test_a_page_of_what_was_frequent_once_is_a_range_of_its_index(store, types):
    index = "events_event_type" if types else "events_category"
    for plan in plans(lambda: store.read_page("Cart", event_types=types).events):
        check(plan, index)


def rows_read():
    """From the table of events, by all statements of this transaction."""
    ((count,),) = execute(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'events'"
    )
    return count


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("name", READS)
def test_a_reader_that_has_seen_all_matches_reads_next_to_nothing_up_to_the_mark(
    store, name, backwards
):
    _, read = READS[name]
    last = max(event.position for event in read(store))
    with transaction.atomic():
        before = rows_read()
        later = read(store, from_position=last + 1, backwards=backwards, batch_size=10)
        assert list(later) == []
        assert rows_read() - before <= 10


@pytest.mark.parametrize("name", ALL_READS)
def test_a_limited_read_reads_no_more_rows_than_it_gives(store, name):
    _, read = ALL_READS[name]
    with transaction.atomic():
        before = rows_read()
        assert len(list(read(store, limit=10))) == 10
        # Positions of several types may be read first, and then their rows.
        assert rows_read() - before <= 20


def pages_read(read):
    """Of tables and indexes, by the statement about events that the read sends."""
    with (
        override_settings(EVENTS={"prepare_statements": False}),
        CaptureQueriesContext(connection) as captured,
    ):
        list(read())
    (sql,) = [sql["sql"] for sql in captured.captured_queries if "FROM events " in sql["sql"]]
    plan = "\n".join(line for (line,) in execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}"))
    return sum(map(int, re.findall(r"(?:hit|read)=(\d+)", plan.split("Buffers:")[1])))


def test_a_short_window_is_not_left_in_search_of_more(store):
    """Not even in the index, whose entries may be many."""
    store_rows("Cart", ADDED, "c", "m", count=40_000)
    vacuum()
    positions = [event.position for event in store.read_log(category="Cart")]
    first, last = positions[20_000], positions[20_004]
    for name in ("category", "one type", "several types"):
        _, read = READS[name]
        for backwards in (False, True):
            window = partial(
                read, store, from_position=first, to_position=last, limit=10, backwards=backwards
            )
            assert len(list(window())) == 5
            assert pages_read(window) < 60, (name, backwards)


@pytest.mark.parametrize("name", READS)
def test_what_became_frequent_after_the_statistics_is_not_read_whole(store, name):
    _, read = READS[name]
    execute("TRUNCATE events")
    store_rows("Order", REMOVED, "d", "n")
    vacuum()
    store_rows("Cart", ADDED, "c", "m")
    with transaction.atomic():
        before = rows_read()
        assert len(list(read(store, limit=10))) == 10
        assert rows_read() - before <= 20


def test_a_category_among_many_is_not_read_whole(store):
    """By the index of streams, which begins with the category too."""
    for number in range(20):
        store_rows(f"Category{number}", MEASURED, "e", "o")
    vacuum()
    with transaction.atomic():
        before = rows_read()
        assert len(list(store.read_log(category="Category7", limit=100))) == 100
        assert rows_read() - before <= 200


def test_a_rare_type_among_several_is_not_looked_for_in_the_others(store):
    """Each type is read no further than the limit, whatever the others hold."""
    with transaction.atomic():
        before = rows_read()
        found = list(store.read_log(event_types=[REMOVED, MEASURED, ADDED], limit=10))
        assert [event.event_type for event in found] == [ADDED] * 10
        assert rows_read() - before <= 30


def test_a_read_is_one_prepared_statement_whatever_its_values(store):
    """Types, positions and limits of any number and size: of one shape, one statement."""
    connection.close()
    for size in (1, 300, 70_000, 2**31, 2**63 - 1):
        for types in ([ADDED], [REMOVED]):
            list(store.read_log(event_types=types, from_position=size, limit=size))
        for count in (0, 2, 3, 50):
            types = [f"tests.Type{number}" for number in range(count)]
            list(store.read_log(event_types=types, to_position=size, batch_size=size))
        list(store.read_log(from_position=size, to_position=size))
        list(store.read_stream(StreamName("Cart", str(size)), from_version=size, limit=size))

    ((prepared,),) = execute(
        "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%FROM events %'"
    )
    assert prepared == 3


@pytest.mark.parametrize("bound", [2**63 - 1, 2**63, 2**100, -(2**63), -(2**100)])
@pytest.mark.parametrize("types", [None, [ADDED], [ADDED, MEASURED]], ids=repr)
def test_bounds_may_be_beyond_any_position(store, bound, types):
    """As the other stores have it."""
    matches = 0 if bound > 0 else 5
    found = list(store.read_log(event_types=types, from_position=bound, limit=5))
    assert len(found) == matches
    found = list(store.read_log(event_types=types, to_position=bound, limit=5))
    assert len(found) == 5 - matches
    assert len(list(store.read_log(event_types=types, limit=max(bound, 1)))) >= 1
