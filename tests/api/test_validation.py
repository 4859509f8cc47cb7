from __future__ import annotations

from typing import Annotated, Any

import pytest

from events.command_bus import handles
from events.limits import Limits
from events.messages import Command
from events.models import Event
from events.registry import command

from .conftest import Api

LINE = {"sku": "pen", "price": "1.50"}
ORDER = {"lines": [LINE], "address": {"country": "DE", "street": "Elm"}}


def fields(response: Any) -> list[str]:
    assert response.status_code == 400, response.content
    assert response["Content-Type"] == "application/problem+json"
    return [error["field"] for error in response.json()["errors"]]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"lines": None}, ["lines"]),
        ({"lines": []}, ["lines"]),
        ({"lines": [LINE] * 4}, ["lines"]),
        ({"lines": {"0": LINE}}, ["lines"]),
        ({"lines": [LINE, {"sku": ""}]}, ["lines[1].sku", "lines[1].price"]),
        ({"lines": [LINE, LINE, LINE | {"price": "1.505"}]}, ["lines[2].price"]),
        ({"lines": [LINE | {"price": -1}]}, ["lines[0].price"]),
        ({"lines": [LINE | {"price": "NaN"}]}, ["lines[0].price"]),
        ({"lines": [LINE | {"price": True}]}, ["lines[0].price"]),
        ({"lines": [LINE | {"quantity": 100}]}, ["lines[0].quantity"]),
        ({"lines": [LINE | {"quantity": 1.0}]}, ["lines[0].quantity"]),
        ({"lines": [LINE | {"quantity": "1"}]}, ["lines[0].quantity"]),
        ({"lines": [LINE | {"colour": "red"}]}, ["lines[0].colour"]),
        ({"lines": [LINE | {"sku": "cursed"}]}, ["lines[0]"]),
        ({"lines": [7]}, ["lines[0]"]),
        ({"lines": [None]}, ["lines[0]"]),
        ({"address": None}, ["address"]),
        ({"address": []}, ["address"]),
        ({"address": {"country": "FR"}}, ["address.country", "address.street"]),
        ({"address": {"country": "DE", "street": "nowhere"}}, ["address.street"]),
        ({"rates": {"EUR": "x", "ISK": 1}}, ["rates.EUR"]),
        ({"rates": [1]}, ["rates"]),
        ({"rates": {"EUR": 1, "ISK": 1, "USD": 1}}, ["rates"]),
        ({"position": [1]}, ["position"]),
        ({"position": [1, "2"]}, ["position[1]"]),
        ({"position": 12}, ["position"]),
        ({"tags": "ab"}, ["tags"]),
        ({"order_id": 7}, ["order_id"]),
        ({"order_id": "7"}, ["order_id"]),
        ({"order_id": None}, ["order_id"]),
        ({"what": 1, "ever": 2}, ["what", "ever"]),
        ({"csrfmiddlewaretokens": 1}, ["csrfmiddlewaretokens"]),
    ],
)
def test_an_error_names_the_field_and_nothing_is_stored(
    api: Api, change: dict[str, Any], expected: list[str]
):
    assert fields(api.send("tests.place-order", ORDER | change)) == expected
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", 12),
        ("text", True),
        ("text", None),
        ("text", ["abc"]),
        ("text", "a"),
        ("text", "a" * 11),
        ("text", "a\0b"),
        ("number", "7"),
        ("number", True),
        ("number", 7.0),
        ("number", None),
        ("share", "0.5"),
        ("share", True),
        ("share", 10**400),
        ("price", ""),
        ("price", "1,5"),
        ("price", "Infinity"),
        ("price", [1]),
        ("agreed", 1),
        ("agreed", "true"),
        ("agreed", None),
        ("size", "SMALL"),
        ("size", "XL"),
        ("size", 1),
        ("size", []),
        ("grade", 3),
        ("grade", "1"),
        ("grade", True),
        ("grade", 1.0),
        ("discount", ""),
        ("moment", "2026-03-01T12:00:00"),
        ("moment", "2026-03-01"),
        ("moment", "yesterday"),
        ("moment", 1772366400),
        ("day", "2026-02-30"),
        ("day", "2026-03-01T12:00:00Z"),
        ("day", 20260301),
        ("clock", "25:00"),
        ("clock", 12),
        ("reference", 12),
        ("reference", "twelve"),
    ],
)
def test_a_value_of_another_type_is_refused_and_never_converted(api: Api, name: str, value: Any):
    assert fields(api.send("tests.fill-form", {"text": "abc", name: value})) == [name]


def test_all_errors_come_at_once(api: Api):
    response = api.send("tests.fill-form", {"text": 1, "number": "x", "colour": "red"})

    assert sorted(fields(response)) == ["colour", "number", "text"]
    problem = response.json()
    assert problem["title"] == "Some of the input can't be accepted"
    assert "colour: Unknown field." in problem["detail"]
    assert all({"field", "detail", "code"} == set(error) for error in problem["errors"])


@pytest.mark.parametrize(
    "change",
    [
        {f"x{number}": 1 for number in range(2000)},
        {"tags": [1] * 2000},
        {"names": {f"x{number}": 1 for number in range(2000)}},
    ],
    ids=["fields", "elements", "members"],
)
def test_the_number_of_reported_errors_is_bounded(api: Api, change: dict[str, Any]):
    assert len(fields(api.send("tests.place-order", ORDER | change))) == 100


@pytest.mark.parametrize("body", ["[]", "null", "7", '"text"', "true"])
def test_a_body_that_is_not_an_object_is_refused(api: Api, body: str):
    assert fields(api.send("tests.fill-form", body)) == [""]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'text': 'abc'}",
        b'{"text": "abc",}',
        b'{"text": "abc", "share": NaN}',
        b'{"text": "abc", "share": -Infinity}',
        b'{"text": "abc", "text": "abd"}',
        b'{"text": "\xff"}',
        b'\xff\xfe{\x00"\x00}\x00',
        b'{"number": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"text": ' + b"[" * 101 + b"]" * 101 + b"}",
    ],
)
def test_a_body_that_is_not_json_is_a_problem(api: Api, body: bytes):
    response = api.send("tests.fill-form", body)

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["detail"].startswith("The body is ")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (r'{"text": "\ud800"}', "text"),
        (r'{"text": "abc", "extra": {"a": ["\u0000"]}}', "extra.a[0]"),
        (r'{"text": "abc", "share": 1e999}', "share"),
        (r'{"text": "abc", "\udfff": 1}', r"'\udfff'"),
    ],
)
def test_what_no_database_could_store_is_refused_with_its_place(api: Api, body: str, field: str):
    assert fields(api.send("tests.fill-form", body)) == [field]


def test_nesting_up_to_the_limit_is_fine(api: Api):
    deep = "[" * 98 + "]" * 98
    body = '{"lines": [{"sku": "a", "price": 1}], "address": {"country": "DE", "street": "Elm"},'

    assert api.send("tests.place-order", f'{body} "extra": {deep}}}').status_code == 200


def test_a_body_above_the_limit_of_the_host_is_refused(api: Api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    response = api.send("tests.fill-form", {"text": "a" * 100})

    assert response.status_code == 413
    assert response["Content-Type"] == "application/problem+json"


def test_what_the_handler_finds_invalid_names_the_field_too(api: Api):
    response = api.send("register-user", {"email": "not an address", "name": "Ann"})

    assert fields(response) == ["email"]
    assert "isn't an e-mail address" in response.json()["errors"][0]["detail"]


def test_a_limit_that_only_the_command_bus_checks_is_named_as_it_was_sent(
    api: Api, own_registry: None
):
    @command("tests.Choose")
    class Choose(Command):
        number: Annotated[int, Limits(min_value=0), Limits(max_value=9)]

    handles(Choose)(lambda choose: None)

    assert fields(api.send("tests.choose", {"number": 10})) == ["number"]
