"""Pages for operators stay fast, however much has failed: a bounded number of statements, each a
short range of an index."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.bus.subscription import subscribe
from events.delivery import bulk
from events.delivery.bulk import Conditions
from events.delivery.draining import drain
from events.delivery.sampling import SAMPLE_SECONDS
from events.models import (
    FailedEvent,
    LagSample,
    Lane,
    Operation,
    OperatorAction,
    SubscriptionState,
)
from sagas.models import ProcessDeadline, SagaInstance, SagaTimer
from tests.effects.models import leave_effect
from tests.explorer.pages import list_url, row_url
from tests.explorer.test_statements import plan_of
from tests.factories import cart, items

MAX_STATEMENTS = 15
ROWS = 400
GROUP = f"{7:016x}"
BIG = (
    "events_failed",
    "events_operator_log",
    "events_operations",
    "events_operation_items",
    "events_lag_samples",
    "sagas_instances",
    "sagas_timers",
    "sagas_process_deadlines",
    "events ",
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("no_other_subscriptions"),
]


@pytest.fixture
def rows(store):
    """Something in every table, and enough for statistics. That a table is still small is no
    reason to read it whole."""
    now = timezone.now()
    for number in range(12):
        subscribe("*", leave_effect, name=f"tests.effects{number}", lanes=1 + number % 3)
    for number in range(30):
        store.append(cart(number), items(10))
    drain()
    store.append(cart(1), items(3))
    FailedEvent.objects.bulk_create(_failed(number, now) for number in range(ROWS))
    OperatorAction.objects.bulk_create(
        OperatorAction(
            action="retry",
            subscription=f"tests.effects{number % 12}",
            subject=f"Cart-{number}",
            actor=f"operator {number % 9}",
        )
        for number in range(ROWS)
    )
    LagSample.objects.bulk_create(
        LagSample(
            interval=int(now.timestamp()) // SAMPLE_SECONDS - number,
            taken_at=now - number * timedelta(seconds=SAMPLE_SECONDS),
            head=1000 - number,
            subscriptions={"tests.effects0": {"lag": number, "handled": 1000 - number}},
        )
        for number in range(1, ROWS)
    )
    SagaInstance.objects.bulk_create(_saga(number, now) for number in range(ROWS))
    SagaTimer.objects.bulk_create(
        SagaTimer(
            saga_id=f"Trip:{number}",
            step="pay",
            direction="do",
            attempt=1,
            is_retry=False,
            due_at=now + timedelta(minutes=number),
        )
        for number in range(ROWS)
    )
    ProcessDeadline.objects.bulk_create(
        ProcessDeadline(
            saga_id=f"Trip:{number}",
            step="pay",
            direction="do",
            due_at=now + timedelta(minutes=number),
        )
        for number in range(ROWS)
    )
    conditions = Conditions(fingerprint=GROUP)
    for _ in range(3):
        bulk.ask("retry", conditions, bulk.survey(conditions), actor="ann")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _failed(number, now):
    return FailedEvent(
        subscription_id=f"tests.effects{number % 12}",
        aggregate_type="Cart",
        aggregate_id=f"c-{number}",
        sequence_number=0,
        position=number,
        event_id=UUID(int=number),
        event_type="tests.ItemAdded",
        lane=0,
        status="dead" if number % 5 else "retrying",
        error_type="ValueError",
        error_message="no good",
        fingerprint=f"{number % 20:016x}",
        first_failed_at=now,
        last_failed_at=now,
    )


def _saga(number, now):
    statuses = ("running", "completed", "needs_intervention", "blocked", "compensating")
    return SagaInstance(
        saga_id=f"Trip:{number}",
        saga_type="Trip",
        definition_version=1,
        key=str(number),
        status=statuses[number % 5],
        correlation_id=f"c-{number}",
        started_at=now - timedelta(minutes=number),
        updated_at=now - timedelta(minutes=number),
    )


PAGES = {
    "overview": lambda: list_url(SubscriptionState) + "overview/",
    "access": lambda: list_url(SubscriptionState) + "access/",
    "subscriptions": lambda: list_url(SubscriptionState),
    "subscription": lambda: row_url(SubscriptionState.objects.all()[0]),
    "failed events": lambda: list_url(FailedEvent),
    "failed events, dead": lambda: list_url(FailedEvent, status="dead"),
    "failed events, of one": lambda: list_url(FailedEvent, subscription="tests.effects1"),
    "failed events, of a group": lambda: list_url(FailedEvent, group=GROUP),
    "failed events, far": lambda: list_url(FailedEvent) + "?after=150",
    "failed events, of a stream": lambda: list_url(FailedEvent, q="Cart-c-7"),
    "failed events, by event": lambda: list_url(FailedEvent, q=str(UUID(int=7))),
    "groups": lambda: list_url(FailedEvent) + "groups/",
    "groups, far": lambda: list_url(FailedEvent) + f"groups/?after={GROUP}",
    "group": lambda: list_url(FailedEvent) + f"groups/one/?fingerprint={GROUP}",
    "before a bulk operation": lambda: list_url(FailedEvent) + f"operate/retry-all/?group={GROUP}",
    "operations": lambda: list_url(Operation),
    "operations, open": lambda: list_url(Operation, status="waiting"),
    "operation": lambda: row_url(Operation.objects.all()[0]) + "?items=waiting",
    "operator log": lambda: list_url(OperatorAction),
    "operator log, of a stream": lambda: list_url(OperatorAction, q="Cart-7"),
    "operator log, by": lambda: list_url(OperatorAction, q="by:'operator 3'"),
    "operator log, of a subscription": lambda: list_url(
        OperatorAction, q="subscription:tests.effects3"
    ),
    "operator log, of an action": lambda: list_url(OperatorAction, action="retry"),
    "sagas": lambda: list_url(SagaInstance),
    "sagas, stuck": lambda: list_url(SagaInstance, stuck="10m"),
    "timers": lambda: list_url(SagaTimer),
    "timers, of a saga": lambda: list_url(SagaTimer, q="Trip:7"),
    "deadlines": lambda: list_url(ProcessDeadline),
}


def statements(client, url):
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200, (url, response)
    return [
        query["sql"]
        for query in captured.captured_queries
        if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))
    ]


@pytest.mark.postgresql
def test_a_page_takes_few_statements(admin_client, rows):
    too_many = {}
    for page, url in PAGES.items():
        sent = statements(admin_client, url())
        if len(sent) > MAX_STATEMENTS:
            too_many[page] = [each[:200] for each in sent]
    assert not too_many


@pytest.mark.postgresql
def test_every_statement_about_a_big_table_is_served_by_an_index(admin_client, rows):
    urls = {page: url() for page, url in PAGES.items()}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    read_whole = {}
    for page, url in urls.items():
        for sql in statements(admin_client, url):
            if not sql.lstrip(" \n(").startswith(("SELECT", "WITH")):
                continue
            plan = plan_of(sql)
            if any(f"Seq Scan on {table}" in plan for table in BIG):
                read_whole[page] = plan
    assert not read_whole


def test_a_page_takes_no_more_statements_with_more_rows(admin_client, rows):
    before = {page: len(statements(admin_client, url())) for page, url in PAGES.items()}
    now = timezone.now()
    FailedEvent.objects.bulk_create(_failed(number, now) for number in range(ROWS, 2 * ROWS))
    SagaInstance.objects.bulk_create(_saga(number, now) for number in range(ROWS, 2 * ROWS))

    after = {page: len(statements(admin_client, url())) for page, url in PAGES.items()}

    assert {page for page in PAGES if after[page] > before[page] + 1} == set()


def test_there_are_lanes_to_be_measured(rows):
    assert Lane.objects.count() > 20
