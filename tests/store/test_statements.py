"""What the stores send to their database: how many statements, how, and what they cost there."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from events.exceptions import ConcurrencyError
from events.store.appending import StreamAppend
from events.store.orm import OrmEventStore
from events.store.postgresql import PostgresEventStore
from events.streams import ExpectedVersion
from tests.factories import cart, item_added, items
from tests.store.sessions import execute

# --- PostgreSQL ---


@pytest.mark.postgresql
@pytest.mark.parametrize("expected", [*ExpectedVersion, 0, 7])
def test_an_append_is_one_statement(
    transactional_db, nobody_listens, django_assert_num_queries, expected
):
    store, added = PostgresEventStore(), items(3)
    store.append(cart(), items(1))
    appends = [StreamAppend(cart(), added, expected)]

    with django_assert_num_queries(1), suppress(ConcurrencyError):
        store.append_to_streams(appends)


@pytest.mark.postgresql
def test_an_append_to_several_streams_is_one_statement(
    transactional_db, nobody_listens, django_assert_num_queries
):
    appends = [StreamAppend(cart(number), items(2)) for number in range(3)]

    with django_assert_num_queries(1):
        PostgresEventStore().append_to_streams(appends)


@pytest.mark.postgresql
def test_a_page_of_the_log_is_two_statements_and_one_of_a_stream_is_one(
    transactional_db, django_assert_num_queries
):
    store = PostgresEventStore()
    store.append(cart(), items(3))

    with django_assert_num_queries(2):
        store.read_page("$all")
    with django_assert_num_queries(1):
        store.read_page("Cart-cart-1")


@pytest.mark.postgresql
def test_the_log_of_queries_shows_them_with_their_values(transactional_db):
    store = PostgresEventStore()
    with CaptureQueriesContext(connection) as queries:
        for _ in range(2):
            store.append(cart(), items(1))
            list(store.read_stream(cart()))

    of_the_stream = [query["sql"] for query in queries if "'cart-1'" in query["sql"]]
    assert [sql.split()[0] for sql in of_the_stream] == ["SELECT"] * 4


@pytest.mark.postgresql
def test_statements_are_prepared_once_a_connection(transactional_db):
    store = PostgresEventStore()
    connection.close()
    for _ in range(3):
        store.append(cart(), items(1))
        list(store.read_log())

    prepared = execute("SELECT statement, generic_plans + custom_plans FROM pg_prepared_statements")
    for part in ("events_append_to_stream(", "events_high_water_mark(", "FROM events WHERE"):
        assert [uses for statement, uses in prepared if part in statement] == [3]


@pytest.mark.postgresql
@pytest.mark.parametrize("way", ["setting of the app", "setting of the database"])
def test_nothing_is_prepared_behind_a_pooler(transactional_db, settings, monkeypatch, way):
    if way == "setting of the app":
        settings.EVENTS = {"prepare_statements": False}
    else:
        monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    store = PostgresEventStore()
    connection.close()

    added = [item_added(name="Grüße, 'quoted' %s \\ 🎈", metadata={"note": "100 %"})]
    result = store.append(cart(), added)
    store.append_to_streams([StreamAppend(cart(n), items(2)) for n in (2, 3)])

    assert store.append(cart(), added).positions == result.positions
    assert [event.event for event in store.read_stream(cart())] == added
    assert len(store.read_page("$all", event_types=["tests.ItemAdded"]).events) == 5
    assert store.get_event(added[0].event_id).event_id == added[0].event_id
    assert execute("SELECT count(*) FROM pg_prepared_statements") == [(0,)]


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.append(cart(), items(1)),
        lambda store: store.high_water_mark(),
        lambda store: list(store.read_stream(cart())),
    ],
    ids=["append", "mark", "read"],
)
def test_a_connection_that_broke_between_two_requests_is_replaced(
    second, nobody_listens, monkeypatch, use
):
    """As with every statement of Django, where the settings ask for health checks."""
    monkeypatch.setitem(connection.settings_dict, "CONN_HEALTH_CHECKS", True)
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    connection.close()
    (pid,) = execute("SELECT pg_backend_pid()")[0]
    execute("SELECT pg_terminate_backend(%s, 10000)", [pid], using=second)

    connection.close_if_unusable_or_obsolete()  # which Django does when a request starts

    use(PostgresEventStore())


@pytest.fixture
def scans():
    """How often statements of this transaction have gone through all of the log."""

    def count():
        ((scans,),) = execute(
            "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'events'"
        )
        return scans

    return count


@pytest.mark.postgresql
@pytest.mark.parametrize("store_class", [PostgresEventStore, OrmEventStore])
def test_neither_appends_nor_reads_go_through_the_whole_log(transactional_db, scans, store_class):
    """With the statistics that the planner has sooner or later."""
    store = store_class()
    for number in range(60):
        store.append(cart(number), items(50))
    execute("ANALYZE")
    connection.close()
    added = [item_added(metadata={"correlation_id": "c", "causation_id": "b"})]

    with transaction.atomic():
        for expected in (ExpectedVersion.ANY, ExpectedVersion.STREAM_EXISTS, 49):
            store.append(cart(1), added, expected_version=expected)
        store.append_to_streams([StreamAppend(cart(n), items(1)) for n in (1, 2)])
        assert scans() == 0

        list(store.read_stream(cart(1)))
        list(store.read_stream(cart(1), from_version=40, backwards=True, limit=3))
        list(store.read_log(from_position=store.high_water_mark() - 10, limit=5))
        list(store.read_log(backwards=True, limit=5))
        list(store.read_correlated("c"))
        list(store.read_caused_by("b"))
        store.get_event(added[0].event_id)
        store.high_water_mark()
        assert scans() == 0


# --- any other database ---


@pytest.mark.django_db
def test_positions_are_known_where_a_database_does_not_return_them(monkeypatch):
    """MySQL and Oracle have no RETURNING for several rows."""
    monkeypatch.setattr(type(connection.features), "can_return_rows_from_bulk_insert", False)
    store = OrmEventStore()

    first = store.append(cart(), items(2))
    second = store.append(cart(), items(3))

    assert [event.position for event in store.read_log()] == [
        *first.positions,
        *second.positions,
    ]
