"""Each check by its id: what it finds, what it says to do, and that it is quiet otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.test import override_settings

from events import checks
from events.api.checks import check_api
from events.command_bus import CommandBus
from events.messages import Command, DomainEvent
from events.registry import CommandTypes, EventTypes, command, event
from events.upcasting import UpcasterChain


def found(messages: list[CheckMessage], message_id: str) -> list[CheckMessage]:
    return [message for message in messages if message.id == message_id]


def settings_messages(**events: Any) -> list[CheckMessage]:
    with override_settings(EVENTS=events):
        return checks.check_settings(None)


def test_all_is_well_with_the_projects_own_settings():
    assert checks.check_settings(None) == []
    assert [message for message in checks.check_upcasters(None) if of_the_project(message)] == []
    assert [message for message in checks.check_handlers(None) if of_the_project(message)] == []
    assert check_api(None) == []


def of_the_project(message: CheckMessage) -> bool:
    return not message.obj.__module__.startswith(("tests.", "library"))


# --- events.E001: unknown keys ---


def test_e001_an_unknown_key_is_an_error_with_the_closest_known_one():
    [message] = settings_messages(snapshot_evry=3)
    assert isinstance(message, Error)
    assert message.id == "events.E001"
    assert message.msg == "EVENTS has no key 'snapshot_evry'."
    assert message.hint == "Did you mean 'snapshot_every'?"


def test_e001_an_unknown_key_that_is_like_no_other_lists_what_is_known():
    [message] = settings_messages(colour="red")
    assert message.id == "events.E001"
    assert message.hint is not None
    assert "snapshot_every" in message.hint
    assert "command_attempts" in message.hint


def test_e001_each_unknown_key_is_reported():
    messages = settings_messages(snapshot_evry=3, comand_attempts=3, command_attempts=3)
    assert [message.msg for message in messages] == [
        "EVENTS has no key 'snapshot_evry'.",
        "EVENTS has no key 'comand_attempts'.",
    ]


@pytest.mark.parametrize("given", [["snapshot_every"], "snapshot_every", 5], ids=repr)
def test_e001_a_setting_that_is_no_dict_is_an_error_not_a_crash(given):
    with override_settings(EVENTS=given):
        [message] = checks.check_settings(None)
    assert message.id == "events.E001"
    assert "dict" in message.msg


def test_e001_a_key_that_is_no_text_is_reported():
    with override_settings(EVENTS={5: 1}):
        [message] = checks.check_settings(None)
    assert message.msg == "EVENTS has no key 5."


@pytest.mark.parametrize(
    "given",
    [
        {"snapshot_every": "10"},
        {"snapshot_every": -1},
        {"command_attempts": 0},
        {"command_attempts": None},
        {"command_retry_delay_seconds": "fast"},
        {"command_retry_delay_seconds": -1},
        {"store": "events.store.memory.NoSuchStore"},
        {"store": MemoryError},
    ],
    ids=repr,
)
def test_a_value_that_cannot_be_is_an_error_that_names_its_key(given):
    messages = settings_messages(**given)
    assert len(messages) == 1
    assert isinstance(messages[0], Error)
    assert next(iter(given)) in messages[0].msg


# --- events.E002: the database ---


def test_e002_a_database_that_is_not_configured_is_an_error():
    [message] = settings_messages(database="archive")
    assert isinstance(message, Error)
    assert message.id == "events.E002"
    assert message.msg == "EVENTS['database'] is 'archive', not in DATABASES."


# --- events.E003: time zones ---


@pytest.mark.filterwarnings("ignore")
def test_e003_naive_time_is_an_error_with_what_to_set():
    with override_settings(USE_TZ=False):
        [message] = found(checks.check_settings(None), "events.E003")
    assert isinstance(message, Error)
    assert message.hint == "Set USE_TZ = True."


# --- events.E004: upcasters ---


@pytest.fixture
def event_types(monkeypatch) -> EventTypes:
    types = EventTypes(UpcasterChain())
    monkeypatch.setattr("events.registry.event_types", types)
    monkeypatch.setattr(checks, "event_types", types)
    return types


def test_e004_each_missing_upcaster_is_an_error_with_what_to_write(event_types):
    @event("tests.Moved", version=4)
    class Moved(DomainEvent):
        pass

    event_types.upcasters.register("tests.Moved", 2, lambda data: data)
    messages = checks.check_upcasters(None)
    assert [message.id for message in messages] == ["events.E004"] * 2
    assert [message.msg for message in messages] == [
        "No upcaster starts from tests.Moved version 1.",
        "No upcaster starts from tests.Moved version 3.",
    ]
    assert messages[0].hint is not None
    assert "@upcasts('tests.Moved', from_version=1)" in messages[0].hint
    assert all(isinstance(message, Error) and message.obj is Moved for message in messages)


def test_e004_a_whole_chain_is_fine(event_types):
    @event("tests.Moved", version=3)
    class Moved(DomainEvent):
        pass

    for version in (1, 2):
        event_types.upcasters.register("tests.Moved", version, lambda data: data)
    assert checks.check_upcasters(None) == []


def test_an_upcaster_that_is_never_used_is_reported(event_types):
    """Somebody wrote the upcaster and forgot to raise the version, or misspelt the type."""

    @event("tests.Moved", version=2)
    class Moved(DomainEvent):
        pass

    event_types.upcasters.register("tests.Moved", 1, lambda data: data)
    event_types.upcasters.register("tests.Moved", 2, lambda data: data)
    event_types.upcasters.register("tests.Movd", 1, lambda data: data)
    messages = checks.check_upcasters(None)
    assert len(messages) == 2
    assert "tests.Moved version 2" in messages[0].msg
    assert "tests.Movd version 1" in messages[1].msg


# --- events.W001: handlers ---


def test_w001_a_command_without_a_handler_is_a_warning(monkeypatch):
    types, bus = CommandTypes(), CommandBus()
    for module in ("registry", "command_bus", "checks"):
        monkeypatch.setattr(f"events.{module}.command_types", types)
    monkeypatch.setattr(checks, "command_bus", bus)

    @command("tests.Move")
    class Move(Command):
        pass

    [message] = checks.check_handlers(None)
    assert isinstance(message, Warning)
    assert message.id == "events.W001"
    assert message.msg == "No handler is registered for the command tests.Move."
    assert message.hint is not None
    assert "DomainAppConfig" in message.hint
    bus.register(Move, lambda sent: None)
    assert checks.check_handlers(None) == []


# --- events.W002: SQLite ---


@pytest.mark.sqlite
@pytest.mark.parametrize("mode", [None, "DEFERRED"])
def test_w002_transactions_of_sqlite_that_start_as_readers_are_a_warning(monkeypatch, mode):
    options = connection.settings_dict["OPTIONS"]
    monkeypatch.setitem(options, "transaction_mode", mode)
    [message] = checks.check_sqlite(None, databases=["default"])
    assert isinstance(message, Warning)
    assert message.id == "events.W002"
    assert message.hint is not None
    assert '"transaction_mode": "IMMEDIATE"' in message.hint


@pytest.mark.sqlite
@pytest.mark.parametrize("mode", ["IMMEDIATE", "immediate", "EXCLUSIVE"])
def test_w002_transactions_that_start_as_writers_are_fine(monkeypatch, mode):
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "transaction_mode", mode)
    assert checks.check_sqlite(None, databases=["default"]) == []


@pytest.mark.sqlite
def test_w002_a_database_that_is_not_asked_about_is_not_looked_at(monkeypatch):
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "transaction_mode", None)
    assert checks.check_sqlite(None, databases=None) == []
    assert checks.check_sqlite(None, databases=["other"]) == []


@pytest.mark.postgresql
def test_w002_another_database_has_no_such_trap():
    assert checks.check_sqlite(None, databases=["default"]) == []


# --- events.E006, E007, E008: the API ---


@pytest.fixture
def commands(monkeypatch) -> CommandTypes:
    types = CommandTypes()
    monkeypatch.setattr("events.registry.command_types", types)
    monkeypatch.setattr("events.api.checks.command_types", types)
    return types


def test_e006_commands_with_the_same_url_are_an_error_that_names_them(commands):
    for name in ("tests.SendIt", "tests.SENDIt", "tests.SendThat"):
        command(name)(type(name, (Command,), {"__annotations__": {}}))

    [message] = check_api(None)
    assert isinstance(message, Error)
    assert message.id == "events.E006"
    assert message.msg == (
        "The commands tests.SendIt and tests.SENDIt have the same URL: commands/tests.send-it."
    )
    assert message.hint is not None
    assert "Rename" in message.hint


@pytest.mark.parametrize(
    "path",
    ["nowhere.Authentication", "rest_framework.authentication.Token", "Session", "", 5, None],
)
def test_e007_an_authentication_class_that_cannot_be_imported_is_an_error_with_its_path(path):
    given = ["rest_framework.authentication.BasicAuthentication", path]
    with override_settings(EVENTS={"api_authentication_classes": given}):
        [message] = check_api(None)
    assert isinstance(message, Error)
    assert message.id == "events.E007"
    assert f"EVENTS['api_authentication_classes'] holds {path!r}" in message.msg
    assert message.hint is not None
    assert "rest_framework.authentication.SessionAuthentication" in message.hint


def test_e007_a_setting_that_is_no_list_is_reported_once():
    with override_settings(EVENTS={"api_authentication_classes": "a.B"}):
        assert check_api(None) == []
        [message] = checks.check_settings(None)
    assert message.id == "events.E005"


def without_drf() -> Any:
    return [app for app in settings.INSTALLED_APPS if app != "rest_framework"]


def test_e008_the_api_without_its_framework_is_an_error_with_what_to_add():
    with override_settings(INSTALLED_APPS=without_drf()):
        [message] = check_api(None)
    assert isinstance(message, Error)
    assert message.id == "events.E008"
    assert message.msg == "events.api.urls is used, but 'rest_framework' isn't in INSTALLED_APPS."
    assert message.hint is not None
    assert message.hint.startswith("Add 'rest_framework' to INSTALLED_APPS")


@pytest.mark.parametrize("urlconf", ["tests.operations.urls_without_api", None])
def test_a_host_without_the_api_needs_nothing_for_it(urlconf):
    wrong = {"api_authentication_classes": ["nowhere.Authentication"]}
    with override_settings(ROOT_URLCONF=urlconf, INSTALLED_APPS=without_drf(), EVENTS=wrong):
        assert check_api(None) == []


# --- as a user meets them ---


@pytest.mark.django_db
def test_the_checks_run_with_manage_py_check(capsys):
    with (
        override_settings(EVENTS={"snapshot_evry": 3}),
        pytest.raises(SystemCheckError, match=r"events\.E001.*EVENTS has no key 'snapshot_evry'"),
    ):
        call_command("check")
    call_command("check", databases=["default"])
