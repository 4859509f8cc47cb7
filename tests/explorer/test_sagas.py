"""Sagas in the admin: who sees and does what."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from events.context import message_context
from events.exceptions import UnknownEventType
from events.models import Event, OperatorAction
from events.streams import StreamName
from sagas.admin.instances import SagaAdmin
from sagas.clock import database_time
from sagas.events import ProcessStalled
from sagas.identity import Direction
from sagas.models import SagaInstance, SagaTimer
from sagas.registry import Definitions
from sagas.running import repository
from sagas.watched import STREAM_TYPE
from tests.explorer.pages import inline_code, links, list_url, row_url, shown, text_of
from tests.explorer.test_statements import check_plan, plan_of
from tests.factories import MOMENT
from tests.sagas.shop import PAYMENT, charged
from tests.sagas.trips import (
    answer,
    blocked,
    charging,
    completed,
    confirming,
    holding,
    issuing,
    not_refunded,
    started,
    status_of,
    waiting,
)

pytestmark = pytest.mark.django_db

OPERATIONS = ("retry", "skip", "compensate", "abort", "force-abort", "release")
VIEW = ("view_sagainstance", "view_event")
PERMISSIONS = tuple(f"{name.replace('-', '_')}_saga" for name in OPERATIONS)


def staff(*permissions):
    account = User.objects.create_user("grace", is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(account)
    return client


def page_url(saga_id):
    return row_url(SagaInstance(saga_id=quote(saga_id)))


def operation_url(name, saga_id, step="hold"):
    return f"{list_url(SagaInstance)}operate/{name}/?id={saga_id}&step={step}"


def form_of(html):
    values = dict(re.findall(r'name="([a-z_]+)" value="([^"]*)"', html))
    values |= {
        name: unescape(text.removeprefix("\n"))
        for name, text in re.findall(r'<textarea name="([a-z_]+)".*?>(.*?)</textarea>', html, re.S)
    }
    return values


def operate(client, url, **values):
    return client.post(url, form_of(text_of(client, url)) | values)


def traces(saga_id):
    """All that an action could have changed."""
    row = SagaInstance.objects.get(pk=saga_id)
    saga = repository.load(saga_id)
    timers = SagaTimer.objects.filter(saga_id=saga_id).count()
    return row.updated_at, row.status, saga.version, timers, OperatorAction.objects.count()


def cells(html, name):
    return [
        unescape(re.sub(r"<[^>]*>", "", cell)).strip()
        for cell in re.findall(rf'class="field-{name}[^"]*">(.*?)</t[dh]>', html)
    ]


def steps_of(html):
    """Name of the step -> the other cells of its row."""
    table = html.partition('id="steps-heading"')[2].partition("</section>")[0]
    rows = re.findall(r'<th scope="row">(\w+)</th>(.*?)</tr>', table, re.DOTALL)
    return {
        name: [
            unescape(re.sub(r"<[^>]*>", "", cell)).strip()
            for cell in re.findall(r"<td>(.*?)</td>", row, re.DOTALL)
        ]
        for name, row in rows
    }


# --- the list ---


def test_sagas_are_listed_the_newest_first(admin_client):
    ids = [charging(1), not_refunded(2)]

    html = text_of(admin_client, list_url(SagaInstance))

    assert shown(admin_client, list_url(SagaInstance)) == ids[::-1]
    assert cells(html, "state") == ["needs intervention", "running"]
    assert cells(html, "steps_under_way") == ["hold", "charge"]
    assert cells(html, "open_steps") == ["charge", "-"]


def test_sagas_are_filtered_by_status_and_by_type(admin_client):
    charging(1), completed(2), charging(3)

    for filters, count in [
        ({"status": "running"}, 2),
        ({"status": "completed"}, 1),
        ({"status": "blocked"}, 0),
        ({"type": "TestTrip"}, 3),
        ({"type": "TestTrip", "status": "running"}, 2),
        ({"type": "Other"}, 0),
    ]:
        assert len(shown(admin_client, list_url(SagaInstance, **filters))) == count, filters


def age(saga_id, **ago):
    """It began then, and nothing has come for it since."""
    at = database_time() - timedelta(**ago)
    SagaInstance.objects.filter(pk=saga_id).update(started_at=at, updated_at=at)


def test_stuck_are_those_that_wait_for_a_person_or_have_gone_quiet(admin_client):
    fresh, quiet, quieter, ended = charging(1), charging(2), holding(3), completed(4)
    asking, stopped = not_refunded(5), blocked(6)
    age(quiet, minutes=30)
    age(quieter, hours=3)
    age(ended, days=9)
    age(stopped, days=8)
    # It began long ago, but goes on.
    SagaInstance.objects.filter(pk=fresh).update(started_at=database_time() - timedelta(days=2))

    def found(value):
        return shown(admin_client, list_url(SagaInstance, stuck=value))

    assert found("10m") == [asking, quiet, quieter, stopped]
    assert found("1h") == [asking, quieter, stopped]
    assert found("1d") == [asking, stopped]
    both = list_url(SagaInstance, stuck="10m", status="running")
    assert shown(admin_client, both) == [quiet, quieter]
    assert shown(admin_client, list_url(SagaInstance, stuck="10m", q=str(UUID(int=2)))) == [quiet]


def test_the_pages_of_stuck_sagas_follow_each_other_to_the_end_and_back(admin_client, monkeypatch):
    monkeypatch.setattr(SagaAdmin, "list_per_page", 2)
    ids = [not_refunded(1), charging(2), blocked(3), charging(4), holding(5)]
    for number, saga_id in enumerate(ids):
        age(saga_id, hours=number + 1)

    url, seen = list_url(SagaInstance, stuck="10m"), []
    while True:
        seen.append(shown(admin_client, url))
        following = links(text_of(admin_client, url)).get("Next")
        if following is None:
            break
        url = list_url(SagaInstance) + following

    assert seen == [ids[:2], ids[2:4], ids[4:]]
    previous = links(text_of(admin_client, url))["Previous"]
    assert shown(admin_client, list_url(SagaInstance) + previous) == ids[2:4]


def test_sagas_are_searched_by_id_key_and_correlation(admin_client):
    with message_context(correlation_id="c-1"):
        ids = [charging(1), charging(2)]
    charging(3)

    for word, expected in [
        (ids[0], [ids[0]]),
        (str(UUID(int=2)), [ids[1]]),
        (UUID(int=2).hex, [ids[1]]),
        ("c-1", ids[::-1]),
        ("nothing", []),
    ]:
        assert shown(admin_client, list_url(SagaInstance, q=word)) == expected, word


@pytest.mark.parametrize("filters", [{"stuck": "soon"}, {"after": "x"}, {"key__startswith": "a"}])
def test_what_the_list_does_not_know_is_not_asked_of_the_database(admin_client, filters):
    response = admin_client.get(list_url(SagaInstance, **filters))
    assert response.status_code in (302, 400)


LISTS = [
    list_url(SagaInstance),
    list_url(SagaInstance, status="running"),
    list_url(SagaInstance, type="TestTrip"),
    list_url(SagaInstance, type="TestTrip", status="running"),
    list_url(SagaInstance, stuck="10m"),
    list_url(SagaInstance, stuck="10m", type="TestTrip"),
    list_url(SagaInstance, q="c-1"),
    list_url(SagaInstance, _facets="True"),
]


def statements(client, url):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in captured if 'FROM "sagas_instances"' in query["sql"]]


@pytest.fixture
def many_sagas():
    SagaInstance.objects.bulk_create(
        SagaInstance(
            saga_id=f"TestTrip:{number}",
            saga_type="TestTrip" if number % 2 else "Other",
            definition_version=1,
            key=str(number),
            status=("completed", "running", "needs_intervention")[number % 3],
            correlation_id=f"c-{number}",
            started_at=MOMENT + timedelta(seconds=number),
            updated_at=MOMENT + timedelta(seconds=number),
        )
        for number in range(900)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")


@pytest.mark.parametrize("url", LISTS)
def test_every_statement_of_the_list_is_a_range_of_an_index(admin_client, many_sagas, url):
    found = statements(admin_client, url)
    assert found
    for sql in found:
        assert not re.search(r"COUNT\(|OFFSET|DISTINCT|GROUP BY|LIKE", sql, re.IGNORECASE), sql
        if "stuck" not in url:
            # The rows of one page, once found, are sorted.
            check_plan(sql, may_sort=" IN (" in sql)


def test_stuck_sagas_are_ranges_of_the_index_by_status(admin_client, many_sagas):
    found = [
        sql
        for sql in statements(admin_client, list_url(SagaInstance, stuck="10m"))
        if "ORDER BY" in sql
    ]
    assert len(found) == 4
    for sql in found:
        plan = plan_of(sql)
        assert "sagas_status" in plan
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan


# --- one saga ---


def test_a_saga_is_shown_with_its_steps_and_what_is_still_to_come(admin_client):
    html = text_of(admin_client, page_url(waiting()))

    steps = steps_of(html)
    assert list(steps) == ["look_up", "hold", "charge", "issue", "confirm"]
    assert [row[0] for row in steps.values()] == ["done", "retrying", *["to come"] * 3]
    assert steps["hold"][2] == "1"
    assert steps["hold"][4].startswith("2026-")
    assert steps["issue"][5] == "4, pivot"


def test_an_open_item_is_shown_with_its_advice(admin_client):
    html = text_of(admin_client, page_url(not_refunded()))

    assert "charge is not undone: tests.RefundImpossible." in html
    assert "Undo it by hand and skip it with evidence" in html
    assert [row[0] for row in steps_of(html).values()] == [
        "done",
        "undoing",
        "not undone",
        "rejected",
        "not reached",
    ]


def test_its_timers_are_shown_and_which_are_outdated(admin_client):
    html = text_of(admin_client, page_url(waiting()))
    table = html.partition('id="timers-heading"')[2].partition("</section>")[0]
    assert table.count("outdated, does nothing") == 2
    assert table.count("do, attempt 2: makes it") == 1
    assert table.index("makes it") < table.index("outdated")


def test_its_history_leads_to_the_events_and_to_the_conversation(admin_client):
    with message_context(correlation_id="c-1"):
        saga_id = charging()
    html = text_of(admin_client, page_url(saga_id))

    for event in Event.objects.filter(aggregate_type="Saga"):
        assert row_url(event) in html
    assert links(html)["Conversation"].endswith("?q=correlation%3Ac-1")
    assert "&quot;total&quot;: &quot;90&quot;" in html


def test_a_long_history_has_pages(admin_client, monkeypatch):
    monkeypatch.setattr("sagas.explorer.details.EVENTS_PER_PAGE", 2)
    url = page_url(charging())
    following = links(text_of(admin_client, url))["Next"]
    first, second = text_of(admin_client, url), text_of(admin_client, url + following)
    events = Event.objects.filter(aggregate_type="Saga").order_by("-position")
    assert [row_url(event) in first for event in events][:3] == [True, True, False]
    assert [row_url(event) in second for event in events][:3] == [False, False, True]


def test_data_and_history_are_for_those_who_may_view_events():
    html = text_of(staff("view_sagainstance"), page_url(charging()))
    assert steps_of(html)
    assert "&quot;total&quot;" not in html
    assert 'id="history-heading"' not in html
    assert "Conversation" not in links(html)


def test_a_saga_without_its_definition_is_shown_and_left_alone(admin_client, monkeypatch):
    saga_id = not_refunded()
    monkeypatch.setattr("sagas.instance.definitions", Definitions())

    html = text_of(admin_client, page_url(saga_id))

    assert "No saga is defined as TestTrip version 1" in html
    assert "charge is not undone" in html
    assert steps_of(html)["charge"][0] == "not undone"
    assert not {"Retry", "Skip", "Abort"} & links(html).keys()
    page = text_of(admin_client, operation_url("abort", saga_id))
    assert "No saga is defined" in page
    assert "<textarea" not in page


def test_a_row_without_a_stream_is_shown(admin_client):
    SagaInstance.objects.create(
        saga_id="Elsewhere:1",
        saga_type="Elsewhere",
        definition_version=1,
        key="1",
        status="running",
        started_at=MOMENT,
        updated_at=MOMENT,
    )
    assert "Elsewhere:1" in text_of(admin_client, page_url("Elsewhere:1"))
    response = admin_client.get(operation_url("abort", "Elsewhere:1"))
    assert response["Location"] == list_url(SagaInstance)


def test_a_choreographed_process_is_shown_with_its_items_and_what_the_watch_has_said(
    admin_client, store
):
    stalled = ProcessStalled(
        step="hold",
        direction=Direction.DO,
        awaited=["tests.RoomHeld"],
        last_event="tests.OutingPlanned",
        problem="nobody answers",
    )
    store.append(StreamName(STREAM_TYPE, "Outing:1"), [stalled])
    SagaInstance.objects.create(
        saga_id="Outing:1",
        saga_type="Outing",
        definition_version=1,
        key="1",
        status="needs_intervention",
        open_items={"hold": {"problem": "nobody <answers>", "advice": "See why."}},
        started_at=MOMENT,
        updated_at=MOMENT,
    )
    html = text_of(admin_client, page_url("Outing:1"))
    assert "nobody &lt;answers&gt;<br>See why." in html
    assert row_url(Event.objects.get()) in html


def test_a_saga_that_this_code_cannot_read_is_shown(admin_client, monkeypatch):
    saga_id = charging()

    def fail(*args, **kwargs):
        raise UnknownEventType("SagaTeleported", 1)

    monkeypatch.setattr("sagas.explorer.details.repository.find", fail)
    html = text_of(admin_client, page_url(saga_id))
    assert "SagaTeleported" in html
    assert row_url(Event.objects.filter(aggregate_type="Saga").latest("position")) in html


def test_what_blocks_a_saga_is_shown_as_text(admin_client):
    html = text_of(admin_client, page_url(blocked()))
    assert "&lt;b&gt;no such field&lt;/b&gt;" in html
    assert "<b>no such field" not in html
    assert "Release" in links(html)


@pytest.mark.parametrize(
    ("prepared", "expected"),
    [
        (waiting, {"Retry", "Skip", "Compensate", "Abort", "Abort by force"}),
        (charging, {"Skip", "Compensate", "Abort", "Abort by force"}),
        (confirming, {"Skip", "Abort by force"}),
        (not_refunded, {"Retry", "Skip", "Abort by force"}),
        (blocked, {"Release"}),
        (completed, set()),
    ],
)
def test_only_what_is_possible_is_offered(admin_client, prepared, expected):
    found = links(text_of(admin_client, page_url(prepared())))
    labels = {"Retry", "Skip", "Compensate", "Abort", "Abort by force", "Release"}
    assert labels & found.keys() == expected


# --- doing ---


def test_the_page_between_shows_the_compensations_in_order_and_changes_nothing(admin_client):
    saga_id = issuing()
    before = traces(saga_id)

    html = text_of(admin_client, links(text_of(admin_client, page_url(saga_id)))["Compensate"])

    assert re.findall(r"<li>(\w+: tests\.\w+)</li>", html) == [
        "issue: tests.VoidTicket",
        "charge: tests.RefundCard",
        "hold: tests.FreeSeat",
    ]
    assert "tests.VoidTicket is sent to undo issue, attempt 1." in html
    assert "“compensating”" in html
    assert traces(saga_id) == before


@pytest.mark.parametrize(
    ("prepared", "name", "step", "status"),
    [
        (waiting, "retry", "hold", "running"),
        (waiting, "skip", "hold", "running"),
        (not_refunded, "skip", "charge", "compensating"),
        (issuing, "compensate", "", "compensating"),
        (issuing, "abort", "", "compensating"),
        (confirming, "force-abort", "", "compensating"),
        (blocked, "release", "", "running"),
    ],
)
def test_an_operator_acts_and_is_written_down(prepared, name, step, status):
    client = staff(*VIEW, *PERMISSIONS)
    saga_id = prepared()

    response = operate(client, operation_url(name, saga_id, step), reason="call 4711")

    assert response["Location"] == page_url(saga_id)
    assert ": done." in text_of(client, response["Location"])
    assert status_of(saga_id) == status
    row = OperatorAction.objects.get()
    assert (row.actor, row.reason) == ("grace", "call 4711")
    assert row.action == f"saga_{name.replace('-', '_')}"


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_action_needs_a_reason(admin_client, name):
    saga_id = blocked() if name == "release" else waiting()
    before = traces(saga_id)
    for reason in ("", "  "):
        response = operate(admin_client, operation_url(name, saga_id), reason=reason)
        assert "This field is required." in response.content.decode()
    assert traces(saga_id) == before


def test_a_step_that_learns_is_skipped_with_what_it_learns(admin_client):
    saga_id = charging()
    url = operation_url("skip", saga_id, "charge")
    page = text_of(admin_client, url)
    assert form_of(page)["learned"] == '{\n  "payment_id": null\n}'
    assert "A JSON object with payment_id." in page
    before = traces(saga_id)

    for learned, message in [
        ("{", "t JSON: Expecting"),
        ("[]", "Expected a JSON object"),
        ("{}", "learned: charge learns payment_id from its answer"),
        ('{"payment_id": "seven"}', "learned.payment_id"),
        ('{"payment_id": null}', "payment_id"),
        ("", "This field is required."),
    ]:
        response = operate(admin_client, url, learned=learned, reason="receipt")
        html = unescape(response.content.decode())
        assert message in html, learned
        assert 'class="errorlist' in html
    assert traces(saga_id) == before

    operate(admin_client, url, learned=f'{{"payment_id": "{PAYMENT}"}}', reason="receipt")
    assert repository.load(saga_id).data.payment_id == PAYMENT


@pytest.mark.parametrize(
    ("prepared", "name", "step", "message"),
    [
        (confirming, "compensate", "", "its pivot is passed"),
        (completed, "abort", "", "it is completed"),
        (charging, "retry", "charge", "only what failed or waits is retried"),
        (charging, "release", "", "isn't blocked"),
        (blocked, "abort", "", "is blocked"),
        (charging, "retry", "nothing", "has no step 'nothing'"),
    ],
)
def test_what_the_saga_does_not_allow_is_refused_with_the_reason(
    admin_client, prepared, name, step, message
):
    saga_id = prepared()
    before, url = traces(saga_id), operation_url(name, saga_id, step)

    page = unescape(text_of(admin_client, url))
    assert message in page
    assert "<textarea" not in page
    values = {"reason": "x", "version": str(repository.load(saga_id).version)}
    assert message in unescape(admin_client.post(url, values).content.decode())
    assert traces(saga_id) == before


def test_what_was_not_seen_is_not_agreed_to(admin_client):
    saga_id = charging()
    url = operation_url("abort", saga_id)
    values = form_of(text_of(admin_client, url)) | {"reason": "call 4711"}

    answer(saga_id, "charge", charged())

    page = admin_client.post(url, values).content.decode()

    assert "has moved on since you saw it" in page
    assert "issue: tests.VoidTicket" in page
    assert status_of(saga_id) == "running"
    admin_client.post(url, form_of(page))
    assert status_of(saga_id) == "compensating"


@pytest.mark.parametrize("version", ["", "x", "-1", "99"])
def test_a_forged_version_is_refused(admin_client, version):
    saga_id = charging()
    operate(admin_client, operation_url("abort", saga_id), reason="x", version=version)
    assert status_of(saga_id) == "running"


def test_a_saga_that_is_gone_leads_back_to_the_list(admin_client):
    for saga_id in ("TestTrip:nobody", "", "\x00"):
        response = admin_client.get(operation_url("abort", saga_id))
        assert response["Location"] == list_url(SagaInstance)


# --- who may ---


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_viewer_can_change_nothing(name):
    client, saga_id = staff(*VIEW), blocked() if name == "release" else waiting()
    before = traces(saga_id)
    values = {"reason": "x", "version": str(repository.load(saga_id).version)}

    found = links(text_of(client, page_url(saga_id)))
    assert not {"Retry", "Skip", "Compensate", "Abort", "Abort by force", "Release"} & found.keys()
    assert 'name="action"' not in text_of(client, list_url(SagaInstance))
    assert client.get(operation_url(name, saga_id)).status_code == 403
    assert client.post(operation_url(name, saga_id), values).status_code == 403
    assert traces(saga_id) == before


@pytest.mark.parametrize("permissions", [PERMISSIONS, ("view_event",), ()])
def test_without_the_permission_to_view_nothing_is_seen_or_done(permissions):
    client, saga_id = staff(*permissions), waiting()
    for url in (list_url(SagaInstance), page_url(saga_id), operation_url("abort", saga_id)):
        assert client.get(url).status_code == 403
    assert client.post(operation_url("abort", saga_id), {"reason": "x"}).status_code == 403
    assert status_of(saga_id) == "running"


def test_visitors_are_asked_to_log_in(client):
    saga_id = waiting()
    for url in (list_url(SagaInstance), page_url(saga_id), operation_url("abort", saga_id)):
        assert client.get(url)["Location"].startswith("/admin/login/")
        assert client.post(url, {"reason": "x"})["Location"].startswith("/admin/login/")
    assert status_of(saga_id) == "running"


def test_not_even_superusers_change_rows_past_the_operations(admin_client):
    saga_id = waiting()
    before = traces(saga_id)
    row = SagaInstance.objects.get()
    assert admin_client.get(list_url(SagaInstance) + "add/").status_code == 403
    assert admin_client.post(row_url(row), {"_save": "1"}).status_code == 403
    assert admin_client.post(row_url(row, "delete"), {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": row.pk, "index": "0", "post": "yes"}
    admin_client.post(list_url(SagaInstance), data)
    assert traces(saga_id) == before


def test_looking_changes_nothing(admin_client):
    saga_id = waiting()
    before = traces(saga_id)
    for url in (
        list_url(SagaInstance, stuck="10m"),
        page_url(saga_id),
        *(operation_url(name, saga_id) + "&reason=x&version=4" for name in OPERATIONS),
    ):
        assert admin_client.get(url).status_code == 200
    assert traces(saga_id) == before


def test_forms_from_elsewhere_are_refused():
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("ada"))
    saga_id = waiting()
    response = client.post(operation_url("abort", saga_id), {"reason": "x", "version": "3"})
    assert response.status_code == 403
    assert status_of(saga_id) == "running"


def test_pages_run_no_code_of_their_own(admin_client):
    saga_id = not_refunded()
    for url in (
        list_url(SagaInstance),
        list_url(SagaInstance, stuck="10m"),
        page_url(saga_id),
        *(operation_url(name, saga_id, "charge") for name in OPERATIONS),
        operation_url("skip", charging(8), "charge"),
        page_url(started(9)),
    ):
        assert inline_code(text_of(admin_client, url)) == [], url
