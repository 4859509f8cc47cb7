from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from events.command_bus import handles
from events.messages import Command
from events.models import Event
from events.registry import command

from .conftest import Api

ANN = {"email": "ann@example.com", "name": "Ann"}
HTML = {"Accept": "text/html"}


def page(response: Any, status: int = 200) -> str:
    assert response.status_code == status
    assert response["Content-Type"] == "text/html; charset=utf-8"
    return response.content.decode()


def raw_content(html: str) -> str:
    match = re.search(r'<textarea name="_content"[^>]*>(.*?)</textarea>', html, re.DOTALL)
    assert match
    return unescape(match[1])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/api/commands", "/api/commands/register-user", "/api/commands/x", "/api/events/1"]
)
def test_pages_are_shown_to_nobody_in_particular_without_forms(nobody: Api, path: str):
    html = page(nobody.get(path, **HTML), 401)

    assert "Authentication credentials were not provided" in html
    assert 'method="POST"' not in html
    assert 'name="_content"' not in html


def test_every_page_is_shown_to_a_user(api: Api):
    stream = api.send("register-user", ANN).json()["appended"][0]["stream"]
    event_id = api.events(stream)[0]["eventId"]

    assert "register-user" in page(api.get("/api/commands", **HTML))
    assert "UserRegistered" in page(api.get(f"/api/streams/{stream}/events", **HTML))
    assert "UserRegistered" in page(api.get(f"/api/events/{event_id}", **HTML))
    assert "registered as fly-away" in page(api.get("/api/commands/fly-away", **HTML), 404)


def test_a_flat_command_has_a_form_for_each_field_and_a_raw_one(api: Api):
    html = page(api.get("/api/commands/tests.fill-form", **HTML))

    assert 'name="text"' in html
    assert "Two to ten characters." in html
    assert 'type="datetime-local"' in html
    assert '<option value="L"' in html
    assert 'enctype="multipart/form-data"' in html
    assert 'name="_content"' in html


def test_a_nested_command_has_a_raw_form_only(api: Api):
    html = page(api.get("/api/commands/tests.place-order", **HTML))

    assert 'name="_content"' in html
    assert json.loads(raw_content(html)) == {
        "lines": [],
        "address": {"country": None, "street": ""},
    }
    assert 'enctype="multipart/form-data"' not in html


def test_the_raw_form_starts_with_the_fields_to_fill_in_and_the_defaults(api: Api):
    html = page(api.get("/api/commands/tests.fill-form", **HTML))

    assert json.loads(raw_content(html)) == {
        "text": "",
        "number": 7,
        "share": 0.5,
        "price": "1.00",
        "agreed": False,
        "size": "S",
        "grade": 1,
    }


def test_a_user_without_the_permission_sees_no_form(clerks_api: Api):
    html = page(clerks_api.get("/api/commands/deactivate-user", **HTML), 403)

    assert 'name="_content"' not in html


def test_a_form_sends_the_command(superuser: User):
    client = Client(enforce_csrf_checks=True)
    client.force_login(superuser)
    path = "/api/commands/register-user"
    client.get(path, headers=HTML)
    token = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}

    html = page(client.post(path, {**ANN, "user_id": "", **token}, headers=HTML))

    assert "&quot;user_id&quot;" in html
    assert Event.objects.get().event_data["email"] == "ann@example.com"
    refused = client.post(path, {"email": "bea@example.com", "name": "Bea"}, headers=HTML)
    assert "CSRF" in page(refused, 403)


def test_what_a_form_can_only_say_in_words_gets_its_type(api: Api):
    form = {
        "text": "abc",
        "number": "12",
        "share": "0.25",
        "price": "1.50",
        "agreed": "true",
        "size": "L",
        "grade": "2",
        "discount": "",
        "moment": "2026-03-01T12:00",
        "day": "2026-03-01",
        "clock": "12:30",
        "reference": "",
        "note": "",
    }

    page(api.client.post("/api/commands/tests.fill-form", form, headers=HTML))

    assert Event.objects.get().event_data["form"] == {
        "text": "abc",
        "number": 12,
        "share": 0.25,
        "price": "1.50",
        "agreed": True,
        "size": "L",
        "grade": 2,
        "discount": None,
        "moment": "2026-03-01T12:00:00+00:00",
        "day": "2026-03-01",
        "clock": "12:30:00",
        "reference": None,
        "note": None,
    }


def test_an_empty_text_in_a_form_is_null_or_the_default_where_it_can_be(
    api: Api, own_registry: None
):
    given: list[Command] = []

    @command("tests.Word")
    class Word(Command):
        nullable: str | None
        nullable_with_default: str | None = "x"
        with_default: str = "y"

    handles(Word)(given.append)
    form = {"nullable": "", "nullable_with_default": "", "with_default": ""}

    page(api.client.post("/api/commands/tests.word", form, headers=HTML))
    api.send("tests.word", form)

    assert given == [
        Word(nullable=None, nullable_with_default=None, with_default="y"),
        Word(nullable="", nullable_with_default="", with_default=""),
    ]


@pytest.mark.parametrize("name", ["number", "price", "moment", "day", "clock", "reference", "size"])
def test_a_refused_form_shows_what_was_typed_beside_the_error(api: Api, name: str):
    form = {"text": "typed text", name: "<rubbish>"}

    html = page(api.client.post("/api/commands/tests.fill-form", form, headers=HTML), 400)

    assert 'value="typed text"' in html
    assert 'class="help-block"' in html
    assert "<rubbish>" not in html
    assert not Event.objects.exists()


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"text": {"a": "\\ud800"}}', b'{"text": 1}'])
def test_refused_raw_content_is_a_page_too(api: Api, body: bytes):
    path = "/api/commands/tests.fill-form"
    response = api.client.post(path, body, content_type="application/json", headers=HTML)

    page(response, 400)


def test_a_reader_in_a_browser_always_gets_the_page(api: Api):
    stream = api.send("register-user", ANN).json()["appended"][0]["stream"]
    path = f"/api/streams/{stream}/events"
    etag = api.get(path)["ETag"]

    page(api.get(path, **HTML, **{"If-None-Match": etag}))
