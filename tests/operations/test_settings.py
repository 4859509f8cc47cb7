"""`EVENTS`: read when it is used, with typed defaults; what it doesn't know is reported."""

from __future__ import annotations

import pytest
from django.test import override_settings

from events.conf import EventsSettings, events_settings
from events.store.configured import event_store
from events.store.memory import MemoryEventStore


def test_the_defaults_hold_without_any_setting(settings):
    del settings.EVENTS
    assert events_settings() == EventsSettings()
    assert events_settings().database == "default"
    assert events_settings().snapshot_every == 10
    assert events_settings().command_attempts == 5


@pytest.mark.parametrize("empty", [None, {}])
def test_an_empty_setting_is_none(empty):
    with override_settings(EVENTS=empty):
        assert events_settings() == EventsSettings()


def test_a_setting_can_be_overridden_for_a_while():
    with override_settings(EVENTS={"snapshot_every": 3}):
        assert events_settings().snapshot_every == 3
        assert events_settings().command_attempts == 5
        with override_settings(EVENTS={"command_attempts": 1}):
            assert (events_settings().snapshot_every, events_settings().command_attempts) == (10, 1)
        assert events_settings().snapshot_every == 3
    assert events_settings().snapshot_every == 10


def test_an_unknown_key_does_not_stop_the_others():
    """The check reports it; a request must not fail for it."""
    with override_settings(EVENTS={"snapshot_evry": 3, "command_attempts": 2}):
        assert events_settings().command_attempts == 2


@pytest.mark.django_db
def test_the_store_is_the_one_that_the_settings_name():
    plain = event_store()
    with override_settings(EVENTS={"store": "events.store.memory.MemoryEventStore"}):
        named = event_store()
        assert type(named) is MemoryEventStore
        assert event_store() is named
    assert event_store() is plain


@pytest.mark.postgresql
def test_the_store_of_a_postgresql_database_is_the_one_made_for_it():
    assert type(event_store()).__name__ == "PostgresEventStore"


@pytest.mark.sqlite
def test_the_store_of_any_other_database_goes_through_the_orm():
    assert type(event_store()).__name__ == "OrmEventStore"
