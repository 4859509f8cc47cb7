from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from events.models import Event

from .conftest import Api, basic

ANN = {"email": "ann@example.com", "name": "Ann"}
NOWHERE = "00000000-0000-4000-8000-000000000000"
PATHS = [
    "/api/commands",
    "/api/commands/register-user",
    "/api/commands/fly-to-the-moon",
    f"/api/streams/User-{NOWHERE}/events",
    f"/api/events/{NOWHERE}",
]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_nobody_in_particular_is_asked_to_authenticate(nobody: Api, path: str):
    for response in [nobody.get(path), nobody.post(path, ANN)]:
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == 'Basic realm="api"'
        assert response["Content-Type"] == "application/problem+json"
    assert not Event.objects.exists()


def test_wrong_credentials_are_refused(nobody: Api, clerk: User):
    response = nobody.send("register-user", ANN, Authorization=basic("grace", "wrong"))

    assert response.status_code == 401
    assert "WWW-Authenticate" in response


def test_a_command_needs_its_own_permission(clerks_api: Api):
    assert clerks_api.send("register-user", ANN).status_code == 200
    refused = clerks_api.send("deactivate-user", {"user_id": NOWHERE})
    assert refused.status_code == 403
    assert "WWW-Authenticate" not in refused


def test_a_command_without_permission_is_for_superusers(clerks_api: Api, api: Api):
    assert clerks_api.send("tests.fill-form", {"text": "abc"}).status_code == 403
    assert api.send("tests.fill-form", {"text": "abc"}).status_code == 200


def test_permission_is_asked_before_the_body_is_looked_at(clerks_api: Api):
    assert clerks_api.send("deactivate-user", b"{").status_code == 403


def test_reading_needs_the_permission_to_view_events(clerks_api: Api, clerk: User):
    stream = clerks_api.send("register-user", ANN).json()["appended"][0]["stream"]
    path = f"/api/streams/{stream}/events"
    assert clerks_api.get(path).status_code == 403
    assert clerks_api.get(f"/api/events/{NOWHERE}").status_code == 403

    clerk.user_permissions.add(Permission.objects.get(codename="view_event"))

    assert clerks_api.get(path).status_code == 200
    assert clerks_api.get(f"/api/events/{NOWHERE}").status_code == 404


def test_a_user_who_is_not_active_may_nothing(nobody: Api, superuser: User):
    superuser.is_active = False
    superuser.save()

    assert nobody.send("register-user", ANN, Authorization=basic("ada")).status_code == 401


def test_a_session_needs_the_csrf_token(superuser: User):
    client = Client(enforce_csrf_checks=True)
    client.force_login(superuser)
    forged = Api(client).send("register-user", ANN)
    assert forged.status_code == 403
    assert not Event.objects.exists()

    client.get("/admin/password_change/")
    token = client.cookies["csrftoken"].value

    assert Api(client).send("register-user", ANN, **{"X-CSRFToken": token}).status_code == 200


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "text/plain", ""])
def test_what_another_site_can_make_a_browser_send_is_refused_without_a_session(
    nobody: Api, superuser: User, content_type: str
):
    response = nobody.client.post(
        "/api/commands/register-user",
        b"",
        content_type=content_type,
        headers={"Authorization": basic("ada")},
    )

    assert response.status_code == 415


def test_the_host_chooses_who_authenticates(api: Api, nobody: Api, clerk: User, settings):
    settings.EVENTS = {
        "api_authentication_classes": ["rest_framework.authentication.SessionAuthentication"]
    }

    assert api.send("register-user", ANN).status_code == 200
    refused = nobody.send("register-user", ANN, Authorization=basic("grace"))
    # Nothing that could challenge is left.
    assert refused.status_code == 403
