"""Whatever is sent, the answer is an answer: accepted, or a problem, never a failure."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from users.commands import DeactivateUser, RegisterUser

from .conftest import Api
from .ordering import FillForm, PlaceOrder

odd_text = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=30),
    st.sampled_from(
        [
            "\0",
            "\ud800",
            "\U0010ffff",
            "\u202e",
            "' OR 1=1 --",
            "{{ 7 * 7 }}",
            "<script>alert(1)</script>",
            "../../etc/passwd",
            "%s%n%x",
            "NaN",
            "-Infinity",
            "1e400",
            "0x1F",
            "1_000",
            "\u0661\u0662",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "2026-02-30",
            "24:00",
            "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
            "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        ]
    ),
)
odd_number = st.one_of(
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.sampled_from([2**31, 2**63, -(2**63) - 1, 2**64, 10**4000, -0.0, 5e-324, 1.7e308]),
)
scalar = st.one_of(st.none(), st.booleans(), odd_number, odd_text)
odd_json = st.recursive(
    scalar,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(odd_text, inner, max_size=4)
    ),
    max_leaves=12,
)
names = st.sampled_from(
    sorted(
        field.name
        for command_class in [FillForm, PlaceOrder, RegisterUser, DeactivateUser]
        for field in fields(command_class)
    )
)
slugs = st.sampled_from(
    ["tests.fill-form", "tests.place-order", "register-user", "deactivate-user"]
)
VALID: dict[str, dict[str, Any]] = {
    "tests.fill-form": {"text": "abc"},
    "tests.place-order": {
        "lines": [{"sku": "pen", "price": 1}],
        "address": {"country": "DE", "street": "Elm"},
    },
    "register-user": {"email": "ann@example.com", "name": "Ann"},
    "deactivate-user": {"user_id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
}
FINE = {200, 400, 404, 409, 422}

fuzz = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def answer(client: Client, slug: str, body: bytes, **headers: str) -> Any:
    path = f"/api/commands/{slug}"
    response = client.post(path, body, content_type="application/json", headers=headers)
    assert response.status_code in FINE, (response.status_code, body)
    return response


@fuzz
@given(slug=slugs, changes=st.dictionaries(names, odd_json, max_size=4), page=st.booleans())
@example(slug="tests.fill-form", changes={"share": 10**400}, page=False)
@example(slug="tests.fill-form", changes={"price": "1E+999999999999999999"}, page=False)
@example(slug="tests.place-order", changes={"extra": {"\ud800": 1}}, page=True)
def test_odd_values_in_a_command(api: Api, slug: str, changes: dict[str, Any], page: bool):
    known = set(VALID[slug]) | set(changes)
    body = json.dumps({name: changes.get(name, VALID[slug].get(name)) for name in known})
    headers = {"Accept": "text/html"} if page else {}

    answer(api.client, slug, body.encode(), **headers)


@fuzz
@given(slug=slugs, value=odd_json)
def test_odd_json_in_place_of_a_command(api: Api, slug: str, value: Any):
    answer(api.client, slug, json.dumps(value).encode())


@fuzz
@given(slug=slugs, body=st.binary(max_size=100))
def test_bytes_in_place_of_a_command(api: Api, slug: str, body: bytes):
    answer(api.client, slug, body)


@pytest.mark.parametrize("depth", [10, 99, 100, 101, 500, 900, 990, 1000, 5000, 200_000])
def test_deep_nesting_is_taken_or_refused(api: Api, depth: int):
    body = json.dumps(VALID["tests.place-order"])[:-1]
    nested = f'{body}, "extra": {"[" * depth}{"]" * depth}}}'

    assert answer(api.client, "tests.place-order", nested.encode()).status_code in {200, 400}


@fuzz
@given(form=st.dictionaries(names, st.text(max_size=30), max_size=6))
def test_odd_values_in_a_form(api: Api, form: dict[str, str]):
    response = api.client.post(
        "/api/commands/tests.fill-form", {"text": "abc"} | form, headers={"Accept": "text/html"}
    )

    assert response.status_code in FINE


@fuzz
@given(path=st.text(max_size=300), key=st.text(st.characters(codec="latin-1"), max_size=40))
def test_odd_paths_and_headers(api: Api, path: str, key: str):
    for url in [f"streams/{quote(path)}/events", f"events/{quote(path)}"]:
        assert api.get(f"/api/{url}").status_code in {200, 400, 404}
    response = api.send("tests.fill-form", {"text": "abc"}, **{"Idempotency-Key": key})
    assert response.status_code in {200, 400}
