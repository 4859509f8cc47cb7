from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from events.models import AggregateVersion, Event, Snapshot
from tests.explorer.pages import links, list_url, row_url, text_of
from tests.explorer.rows import stored_event, stored_snapshot, stored_streams
from tests.factories import MOMENT
from users.models import EmailClaim, LinkedLogin, RegisteredUser

USER_ID = "0198c0de-7e1a-7000-8000-0000000000bb"


@pytest.fixture
def rows(db: None) -> list[Model]:
    """One of each kind that nobody may change by hand."""
    return [
        stored_event(),
        *stored_streams(["Cart-cart-1"]),
        stored_snapshot(),
        EmailClaim.objects.create(email="ada@example.com", user_id=USER_ID),
        RegisteredUser.objects.create(
            user_id=USER_ID, email="ada@example.com", is_active=True, registration_date=MOMENT
        ),
    ]


def staff(client: Client, *permissions: str) -> Client:
    account = User.objects.create_user("staff", is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(account)
    return client


def test_not_even_superusers_add_change_or_delete(admin_client: Client, rows: list[Model]) -> None:
    for row in rows:
        assert admin_client.get(list_url(type(row)) + "add/").status_code == 403
        assert admin_client.post(list_url(type(row)) + "add/").status_code == 403
        assert admin_client.post(row_url(row), {"_save": "1"}).status_code == 403
        assert admin_client.post(row_url(row), {"_saveasnew": "1"}).status_code == 403
        assert admin_client.get(row_url(row, "delete")).status_code == 403
        assert admin_client.post(row_url(row, "delete"), {"post": "yes"}).status_code == 403
        assert type(row).objects.filter(pk=row.pk).exists()  # type: ignore[attr-defined]


def test_there_are_no_bulk_actions(admin_client: Client, rows: list[Model]) -> None:
    for row in rows:
        if not isinstance(row, Snapshot):  # which can be dropped, for a reason
            assert "action-select" not in text_of(admin_client, list_url(type(row)))
        data = {"action": "delete_selected", "_selected_action": row.pk, "select_across": "1"}
        admin_client.post(list_url(type(row)), data | {"index": "0", "post": "yes"})
        assert type(row).objects.filter(pk=row.pk).exists()  # type: ignore[attr-defined]


def test_bulk_actions_of_the_site_are_not_offered(admin_client: Client) -> None:
    account = User.objects.create_user("ada")
    link = LinkedLogin.objects.create(account=account, user_id=USER_ID)
    assert "action-select" not in text_of(admin_client, list_url(LinkedLogin))
    data = {"action": "delete_selected", "_selected_action": account.pk, "index": "0"}
    admin_client.post(list_url(LinkedLogin), data | {"post": "yes"})
    assert LinkedLogin.objects.filter(pk=link.pk).exists()


def test_pages_read_the_database_of_the_log(
    settings: Settings, rf: RequestFactory, rows: list[Model]
) -> None:
    settings.EVENTS = {"database": "log"}
    for model in (Event, AggregateVersion, Snapshot):
        queryset = admin.site.get_model_admin(model).get_queryset(rf.get("/"))
        assert queryset.db == "log"


def test_staff_without_the_permission_see_nothing(client: Client, rows: list[Model]) -> None:
    staff(client, "change_group")
    for row in rows:
        assert client.get(list_url(type(row))).status_code == 403
        assert client.get(row_url(row)).status_code == 403
    assert client.get(list_url(Event, q="Cart-cart-1")).status_code == 403


@pytest.mark.parametrize("permission", ["view_event", "change_event"])
def test_permission_for_events_shows_events_alone(
    client: Client, rows: list[Model], permission: str
) -> None:
    staff(client, permission)
    event, stream, *_ = rows
    assert "Stream" not in links(text_of(client, row_url(event)))
    assert client.get(list_url(Event)).status_code == 200
    assert client.get(row_url(stream)).status_code == 403


def test_permission_for_streams_shows_no_events_and_no_snapshots(
    client: Client, rows: list[Model]
) -> None:
    staff(client, "view_aggregateversion")
    event, stream, snapshot, *_ = rows
    html = text_of(client, row_url(stream))
    assert row_url(event) not in html
    assert row_url(snapshot) not in html
    assert client.get(list_url(AggregateVersion)).status_code == 200
    assert client.get(list_url(Snapshot)).status_code == 403


def test_visitors_are_asked_to_log_in(client: Client, rows: list[Model]) -> None:
    assert client.get(list_url(Event, q="Cart-cart-1"))["Location"].startswith("/admin/login/")
