from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from sagas.models import SagaInstance
from sagas.registry import Definitions
from sagas.running import repository

from ..sagas.trips import charging, completed, not_refunded
from .conftest import Api

PROBLEM = "application/problem+json"


def as_user(*permissions: str) -> Api:
    user = User.objects.create_user("alan")
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return Api(client)


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [saga["saga_id"] for saga in response.json()["sagas"]]


def test_a_saga_is_read_with_its_steps(api: Api):
    saga_id = not_refunded()

    body = api.get(f"/api/sagas/{saga_id}").json()

    assert (body["saga_id"], body["type"], body["status"]) == (
        saga_id,
        "TestTrip",
        "needs_intervention",
    )
    assert {step["name"]: step["standing"] for step in body["steps"]} == {
        "look_up": "done",
        "hold": "undoing",
        "charge": "not_undone",
        "issue": "rejected",
        "confirm": "not_reached",
    }
    [problem] = [step["problem"] for step in body["steps"] if step["problem"]]
    assert problem == body["open_items"]["charge"]["problem"]
    assert body["version"] == repository.load(saga_id).version
    assert body["state"]["total"] == "90"
    assert body["ended_at"] is None


def test_sagas_are_listed_the_newest_first_and_narrowed(api: Api):
    running, ended, asking = charging(1), completed(2), not_refunded(3)

    assert ids(api.get("/api/sagas")) == [asking, ended, running]
    assert ids(api.get("/api/sagas?status=completed")) == [ended]
    assert ids(api.get("/api/sagas?type=TestTrip&status=running")) == [running]
    assert ids(api.get("/api/sagas?type=Other")) == []
    assert ids(api.get(f"/api/sagas?after={asking}")) == [ended, running]


def test_each_saga_of_the_list_has_its_address(api: Api):
    saga_id = charging()
    [saga] = api.get("/api/sagas").json()["sagas"]
    assert api.get(saga["url"]).json()["saga_id"] == saga_id


@pytest.mark.parametrize("query", ["", "&status=running", "&type=TestTrip&status=running"])
def test_pages_follow_each_other_to_the_end_also_while_sagas_go_on(api: Api, query: str):
    first, *_ = expected = [charging(number) for number in range(5)][::-1]
    url, seen = f"/api/sagas?limit=2{query}", []
    while url:
        response = api.get(url)
        seen.append(ids(response))
        url = response.json()["next"]
        SagaInstance.objects.filter(pk=first).update(updated_at="2030-01-01T00:00:00Z")

    assert seen == [expected[:2], expected[2:4], expected[4:]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=odd", "status"),
        ("after=TestTrip:nobody", "after"),
        ("after=%00", "after"),
        ("type=%00", "type"),
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("colour=red", "colour"),
    ],
)
def test_bad_queries_are_refused_with_the_field(api: Api, query: str, field: str):
    response = api.get(f"/api/sagas?{query}")
    assert (response.status_code, response["Content-Type"]) == (400, PROBLEM)
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize("saga_id", ["TestTrip:nobody", "%00", "a/b"])
def test_a_saga_that_is_not_there_is_not_found(api: Api, saga_id: str):
    response = api.get(f"/api/sagas/{saga_id}")
    assert (response.status_code, response["Content-Type"]) == (404, PROBLEM)


def test_a_saga_without_its_definition_can_be_read(api: Api, monkeypatch: pytest.MonkeyPatch):
    saga_id = not_refunded()
    monkeypatch.setattr("sagas.instance.definitions", Definitions())

    body = api.get(f"/api/sagas/{saga_id}").json()

    assert "No saga is defined as TestTrip version 1" in body["problem"]
    assert [step["name"] for step in body["steps"]] == ["look_up", "hold", "charge", "issue"]


@pytest.mark.parametrize("path", ["/api/sagas", "/api/sagas/TestTrip:1"])
def test_anonymous_users_are_asked_who_they_are(nobody: Api, db: None, path: str):
    response = nobody.get(path)
    assert (response.status_code, response["Content-Type"]) == (401, PROBLEM)


@pytest.mark.parametrize("permissions", [(), ("view_event",), ("retry_saga",)])
def test_only_those_who_may_view_sagas_read_them(permissions: tuple[str, ...], db: None):
    user, saga_id = as_user(*permissions), charging()
    for path in ("/api/sagas", f"/api/sagas/{saga_id}", "/api/sagas/TestTrip:nobody"):
        assert user.get(path).status_code == 403


def test_the_typed_state_is_for_those_who_may_view_events(db: None):
    saga_id = charging()
    body = as_user("view_sagainstance").get(f"/api/sagas/{saga_id}").json()
    assert body["steps"]
    assert "state" not in body


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_sagas_are_only_read(api: Api, method: str):
    saga_id = charging()
    for path in ("/api/sagas", f"/api/sagas/{saga_id}"):
        assert getattr(api.client, method)(path).status_code == 405
