"""What keeps the pages fast on a large table, seen in the statements that they send."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from django.contrib.auth.models import User as Account
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from events.models import AggregateVersion, Event, Snapshot
from tests.explorer.pages import list_url, row_url
from tests.explorer.people import PlanChanged, person
from tests.explorer.rows import stored_event, stored_events, stored_snapshot, stored_streams
from tests.factories import MOMENT
from users.models import EmailClaim, LinkedLogin, RegisteredUser

EVENT_ID = UUID("0198c0de-7e1a-7000-8000-0000000000aa")
USER_ID = UUID("0198c0de-7e1a-7000-8000-0000000000bb")
TABLES = [Event, AggregateVersion, Snapshot, RegisteredUser, EmailClaim, LinkedLogin]

# Behind all positions, which go on rising from test to test.
FAR = "999999999"

PAGES = [
    "/admin/",
    "/admin/events/",
    list_url(Event),
    list_url(Event, after=FAR),
    list_url(Event, before="1"),
    list_url(Event, type="tests.ItemAdded"),
    list_url(Event, category="Cart", after=FAR),
    list_url(Event, type="tests.ItemAdded", category="Cart"),
    list_url(Event, q="type:tests.ItemAdded"),
    list_url(Event, q="stream:Cart-cart-1"),
    list_url(Event, q="stream:Cart-cart-1", after=FAR),
    list_url(Event, q="stream:Cart-cart-1", type="tests.ItemAdded", before="1"),
    list_url(Event, q="correlation:c-1"),
    list_url(Event, q="cause:m-1", after=FAR),
    list_url(Event, q="nowhere"),
    list_url(Event, q="category:Cart since:2020-01-01"),
    list_url(Event, q="since:2020-01-01 until:2099-01-01", after=FAR),
    list_url(Event, q="type:tests.ItemAdded since:2020-01-01 until:2099-01-01"),
    list_url(Event, q="stream:Cart-cart-1 since:2020-01-01 until:2099-01-01"),
    list_url(Event, q="data.name:pen since:2020-01-01"),
    list_url(Event, q="by:1 type:tests.ItemAdded", after=FAR),
    list_url(Event, _facets="True"),
    list_url(Event, o="2.-1", p="3", all=""),
    list_url(AggregateVersion),
    list_url(AggregateVersion, category="Cart"),
    list_url(AggregateVersion, q="Cart-cart-1"),
    list_url(AggregateVersion, q="cart-1"),
    list_url(AggregateVersion) + "?after=Cart&after=cart-1",
    list_url(Snapshot),
    list_url(Snapshot, q="cart-1"),
    list_url(Snapshot) + "?before=Cart&before=cart-2",
    list_url(RegisteredUser),
    list_url(RegisteredUser, after=str(USER_ID)),
    list_url(EmailClaim),
    list_url(LinkedLogin),
]
# Besides lists: they put together what several statements find.
OTHER_PAGES = [
    reverse("admin:events_event_trace") + "?correlation=c-1",
    reverse("admin:events_event_catalogue"),
    reverse("admin:events_event_type", kwargs={"event_type": "tests.ItemAdded"}),
    reverse("admin:events_event_export"),
    reverse("admin:events_event_save_view"),
]
MAX_STATEMENTS = 15

# These find a row or two, which may be sorted.
PAGES_OF_ONE = [
    list_url(Event, q=f"id:{EVENT_ID}"),
    list_url(RegisteredUser, q="ada@example.com"),
    list_url(RegisteredUser, q=str(USER_ID)),
    list_url(EmailClaim, q="ada@example.com"),
    list_url(LinkedLogin, q=str(USER_ID)),
]


@pytest.fixture
def rows(db: None) -> list[Event | AggregateVersion | Snapshot | RegisteredUser]:
    """Something in every table; those that have a page of their own."""
    metadata = {"correlation_id": "c-1", "causation_id": str(EVENT_ID), "user_id": "1"}
    stored_event(event_id=EVENT_ID, aggregate_id="cart-2")
    event = stored_events(3, metadata=metadata)[1]
    (stream,) = stored_streams(["Cart-cart-1"])
    EmailClaim.objects.create(email="ada@example.com", user_id=USER_ID)
    account = Account.objects.create_user("ada")
    LinkedLogin.objects.create(account=account, user_id=USER_ID)
    user = RegisteredUser.objects.create(
        user_id=USER_ID, email="ada@example.com", is_active=True, registration_date=MOMENT
    )
    return [event, stream, stored_snapshot(), user]


def statements(client: Client, url: str) -> list[str]:
    """Those that the page sends about the tables of the project."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200, (url, response)
    names = [f'FROM "{model._meta.db_table}"' for model in TABLES]
    all_of_them = [query["sql"] for query in captured.captured_queries]
    assert not [sql for sql in all_of_them if "COUNT(" in sql.upper()]
    return [sql for sql in all_of_them if any(name in sql for name in names)]


def lists(sql: str) -> bool:
    return "ORDER BY" in sql and re.search(r"LIMIT (51|1000)$", sql) is not None


@pytest.mark.parametrize("url", PAGES + PAGES_OF_ONE + OTHER_PAGES)
def test_no_page_asks_more_than_fifteen_times(
    admin_client: Client, rows: list[Event], url: str
) -> None:
    stored_events(100, aggregate_id="cart-3", metadata={"correlation_id": "c-1", "user_id": "1"})
    with CaptureQueriesContext(connection) as captured:
        assert admin_client.get(url).status_code == 200
    assert len(captured) <= MAX_STATEMENTS, [query["sql"] for query in captured.captured_queries]


def test_no_page_of_a_row_asks_more_than_fifteen_times(
    admin_client: Client, rows: list[Event]
) -> None:
    stored_events(100, aggregate_id="cart-3", metadata={"causation_id": str(EVENT_ID)})
    person_stream = person(1, *(PlanChanged(plan=str(number)) for number in range(40)))
    pages = [row_url(row) for row in (*rows, person_stream)]
    pages.append(reverse("admin:events_aggregateversion_state", kwargs={"key": person_stream.pk}))
    for url in pages:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(url).status_code == 200
        found = [query["sql"] for query in captured.captured_queries]
        assert len(captured) <= MAX_STATEMENTS, (url, found)


@pytest.mark.parametrize("url", PAGES + PAGES_OF_ONE)
def test_no_page_counts_skips_or_reads_a_table_for_its_distinct_values(
    admin_client: Client, rows: list[Event], url: str
) -> None:
    for sql in statements(admin_client, url):
        assert not re.search(r"COUNT\(|OFFSET|DISTINCT|GROUP BY|LIKE", sql, re.IGNORECASE), sql


@pytest.mark.parametrize("url", OTHER_PAGES)
def test_every_statement_of_other_pages_is_a_range_of_an_index(
    admin_client: Client, many_rows: None, url: str
) -> None:
    for sql in statements(admin_client, url):
        check_plan(sql, may_sort=True)


@pytest.mark.parametrize("view", ["change", "history"])
def test_no_page_of_a_row_counts_or_skips(
    admin_client: Client, rows: list[Event], view: str
) -> None:
    for row in rows:
        with CaptureQueriesContext(connection) as captured:
            response = admin_client.get(row_url(row, view), follow=True)
        assert response.status_code == 200
        for query in captured.captured_queries:
            assert not re.search(r"COUNT\(|OFFSET|DISTINCT", query["sql"], re.IGNORECASE)


def test_every_statement_of_the_page_of_a_row_is_a_range_of_an_index(
    admin_client: Client, many_rows: None, rows: list[Event]
) -> None:
    for row in rows:
        for sql in statements(admin_client, row_url(row)):
            check_plan(sql)
            assert "LIMIT" in sql or " IN (" in sql


def test_lists_leave_out_what_may_be_large(admin_client: Client, rows: list[Event]) -> None:
    for model, column in ((Event, "event_data"), (Snapshot, "snapshot_data")):
        for sql in statements(admin_client, list_url(model)):
            assert column not in sql
            assert not re.search(r'"metadata", "events"', sql)


def test_search_and_filter_for_the_same_do_not_make_it_a_scan(
    admin_client: Client, rows: list[Event]
) -> None:
    url = list_url(Event, q="type:tests.ItemAdded", type="tests.ItemAdded")
    assert not [sql for sql in statements(admin_client, url) if "LIMIT 1000" in sql]


def test_a_full_page_costs_no_more_statements_than_a_short_one(
    admin_client: Client, rows: list[Event]
) -> None:
    few = len(statements(admin_client, list_url(Event)))
    stored_events(100, aggregate_id="cart-3", metadata={"correlation_id": "c-1", "user_id": "1"})
    assert len(statements(admin_client, list_url(Event))) == few


@pytest.mark.parametrize("url", PAGES + PAGES_OF_ONE)
def test_every_statement_of_a_list_is_a_range_of_an_index(
    admin_client: Client, many_rows: None, url: str
) -> None:
    for sql in statements(admin_client, url):
        check_plan(sql, may_sort=url in PAGES_OF_ONE)


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ({"type": "tests.ItemAdded"}, "events_event_type"),
        ({"category": "Cart"}, "events_category"),
        ({"q": "correlation:c-2"}, "events_correlation"),
        ({"q": "cause:m-2"}, "events_causation"),
        ({"q": "stream:Cart-cart-4"}, "events_stream_version"),
        ({"q": "stream:Cart-cart-4", "category": "Cart"}, "events_stream_version"),
        ({"type": "tests.ItemAdded", "category": "Cart"}, "events_event_type"),
    ],
)
def test_what_was_frequent_once_is_not_looked_for_in_the_whole_log(
    admin_client: Client, rows: list[Event], condition: dict[str, str], index: str
) -> None:
    metadata = {"correlation_id": "c-2", "causation_id": "m-2"}
    stored_events(2000, aggregate_id="cart-4", metadata=metadata)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    (sql,) = filter(lists, statements(admin_client, list_url(Event, **condition)))
    assert index in plan_of(sql)


@pytest.fixture
def many_rows(rows: list[Event]) -> None:
    """Enough for statistics. That the table is still small is no reason to read it whole here."""
    stored_events(300, aggregate_type="Order", event_type="tests.ItemRemoved")
    stored_streams([f"Order-{number}" for number in range(300)])
    for number in range(300):
        stored_snapshot(aggregate_type="Order", aggregate_id=f"{number}")
    RegisteredUser.objects.bulk_create(
        RegisteredUser(
            user_id=UUID(int=number),
            email=f"{number}@example.com",
            is_active=True,
            registration_date=MOMENT,
        )
        for number in range(300)
    )
    accounts = Account.objects.bulk_create(Account(username=f"{n}") for n in range(300))
    LinkedLogin.objects.bulk_create(
        LinkedLogin(account=account, user_id=UUID(int=account.pk)) for account in accounts
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")


def check_plan(sql: str, *, may_sort: bool = False) -> None:
    plan = plan_of(sql)
    if connection.vendor == "postgresql":
        assert "Seq Scan" not in plan, plan
        assert may_sort or "Sort" not in plan, plan
        if lists(sql):
            assert "Filter:" not in plan.replace("Join Filter:", ""), plan
    else:
        assert may_sort or "TEMP B-TREE" not in plan, plan
        if "WHERE" in sql:
            assert not re.search(r"SCAN (?!stored|\(|CONSTANT)\w+$", plan, re.MULTILINE), plan


def plan_of(sql: str) -> str:
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
