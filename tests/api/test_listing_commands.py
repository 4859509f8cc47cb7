from __future__ import annotations

from events.messages import Command
from events.registry import command

from .conftest import Api


def names(api: Api) -> list[str]:
    return [found["name"] for found in api.get("/api/commands").json()["commands"]]


def test_the_list_has_the_commands_that_the_user_may_send(api: Api, clerks_api: Api):
    assert names(clerks_api) == ["register-user", "tests.place-order"]
    assert {"register-user", "log-in-user", "deactivate-user", "tests.fill-form"} <= set(names(api))


def test_a_command_registered_later_is_listed(api: Api, own_registry: None):
    @command("tests.Later")
    class Later(Command):
        pass

    @command("tests.LATER")
    class LaterStill(Command):
        """Has the same URL, which is an error where it is used, not here."""

    assert names(api).count("tests.later") == 2


def test_a_command_is_described_by_its_docstring_and_fields(clerks_api: Api):
    (_, order) = clerks_api.get("/api/commands").json()["commands"]

    assert order["type"] == "tests.PlaceOrder"
    assert order["url"] == "http://testserver/api/commands/tests.place-order"
    assert order["description"] == "Orders goods.\n\nTo one address."
    lines = order["fields"]["lines"]
    assert (lines["type"], lines["required"], lines["max_length"]) == ("list", True, 3)
    assert lines["child"]["children"]["price"]["decimal_places"] == 2
    assert lines["child"]["children"]["price"]["min_value"] == "0"
    assert lines["child"]["children"]["quantity"]["default"] == 1
    assert order["fields"]["address"]["children"]["country"]["choices"] == [
        {"value": "DE", "display_name": "DE"},
        {"value": "IS", "display_name": "IS"},
    ]
    assert [each["type"] for each in order["fields"]["position"]["elements"]] == ["float", "float"]
    assert order["fields"]["extra"]["type"] == "any"
    assert clerks_api.get("/api/commands/tests.place-order").json() == order


def test_a_field_is_described_by_its_help_text(api: Api):
    fields = api.get("/api/commands/tests.fill-form").json()["fields"]

    assert fields["text"]["help_text"] == "Two to ten characters."
    assert fields["size"]["default"] == "S"


def test_a_command_without_docstring_has_no_description(api: Api):
    assert api.get("/api/commands/tests.fill-form").json()["description"] == ""
