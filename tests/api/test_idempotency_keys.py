from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from events.models import CommandRecord, Event

from .conftest import Api

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
ANN = {"email": "ann@example.com", "name": "Ann"}


def send(api: Api, body: dict[str, Any], key: str = KEY, slug: str = "register-user") -> Any:
    return api.send(slug, body, **{"Idempotency-Key": key})


def test_a_repeated_command_gets_the_first_answer(api: Api):
    user_id = str(uuid4())
    body = ANN | {"user_id": user_id}

    first, second = send(api, body), send(api, body)

    assert first.json()["command_id"] == KEY
    assert first.json()["result"] == {"user_id": user_id}
    assert second.status_code == 200
    assert second.json() == first.json()
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert Event.objects.count() == 1


def test_an_id_that_the_server_makes_up_is_the_same_in_a_repetition(api: Api):
    first, second = send(api, ANN), send(api, ANN)

    assert first.status_code == 200, first.content
    assert second.json() == first.json()
    assert second["Idempotency-Replayed"] == "true"


def test_a_repetition_names_the_conversation_that_holds_its_events(api: Api):
    headers = {"Idempotency-Key": KEY}
    first = api.send("register-user", ANN, **headers, **{"X-Correlation-ID": "talk-1"})
    second = api.send("register-user", ANN, **headers, **{"X-Correlation-ID": "talk-2"})

    assert second.json() == first.json()
    assert second.json()["correlation_id"] == Event.objects.get().correlation_id == "talk-1"
    assert second["X-Correlation-ID"] == "talk-2"


def test_the_order_of_the_body_is_no_other_command(api: Api):
    send(api, {"email": "ann@example.com", "name": "Ann"})

    assert send(api, {"name": "Ann", "email": "ann@example.com"})["Idempotency-Replayed"] == "true"


def test_a_form_is_repeated_whatever_the_token_of_its_page(api: Api):
    for token, replayed in [("a", None), ("b", "true")]:
        response = api.client.post(
            "/api/commands/register-user",
            ANN | {"csrfmiddlewaretoken": token, "user_id": ""},
            headers={"Idempotency-Key": KEY},
        )
        assert response.status_code == 200, response.content
        assert response.get("Idempotency-Replayed") == replayed
    assert Event.objects.count() == 1


def test_a_repeated_refusal_is_refused_alike(api: Api):
    send(api, ANN, str(uuid4()))

    first, second = send(api, ANN), send(api, ANN)

    assert first.status_code == second.status_code == 422
    assert first.json()["code"] == second.json()["code"] == "email_taken"
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"


def test_a_key_of_another_command_is_refused(api: Api):
    send(api, ANN)

    for response in [
        send(api, ANN | {"name": "Bea"}),
        send(api, {"user_id": str(uuid4())}, slug="log-in-user"),
    ]:
        assert response.status_code == 422
        assert response.json()["type"] == "urn:problem-type:edda:idempotency-key-reused"
    assert Event.objects.count() == 1


def test_a_key_may_be_quoted_as_the_draft_has_it(api: Api):
    assert send(api, ANN, f'"{KEY}"').json()["command_id"] == KEY
    assert send(api, ANN, KEY.upper())["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    "key", ["", "1", f"{KEY}0", f'"{KEY}', f"{{{KEY}}}", KEY.replace("-", ""), "\u00e9"]
)
def test_a_malformed_key_is_refused_by_the_name_of_its_header(api: Api, key: str):
    response = send(api, ANN, key)

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["Idempotency-Key"]
    assert not Event.objects.exists()


def test_an_invalid_command_does_not_use_up_its_key(api: Api):
    assert send(api, {"email": "ann@example.com"}).status_code == 400
    assert not CommandRecord.objects.exists()

    assert send(api, ANN).status_code == 200
