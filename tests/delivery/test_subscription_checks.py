"""The checks of subscriptions, by their ids: what they find, and what they say to do."""

from __future__ import annotations

import pytest
from django.core.checks import Warning
from django.core.management import call_command
from django.db import connection

from events.bus.subscription import subscriptions
from events.delivery import checks
from events.delivery.draining import drain
from tests.factories import ItemAdded

pytestmark = pytest.mark.django_db

NAME = "tests.effects"


def stored_messages(databases=("default",)):
    return checks.check_stored_subscriptions(None, databases=databases)


def test_all_is_well_with_what_is_stored_as_it_is_in_the_code(store, subscribed):
    subscribed((ItemAdded, "tests.ItemRemoved", "Cart.*", "*", "Cart.tests.ItemAdded"))
    subscribed(name="never.run")
    drain(NAME)

    assert stored_messages() == []
    assert checks.check_lanes_on_sqlite(None) == []
    assert checks.check_patterns(None) == []


def test_w004_a_stored_subscription_without_code_is_a_warning(store, subscribed):
    subscribed()
    drain()
    subscriptions.remove(NAME)

    [message] = stored_messages()

    assert isinstance(message, Warning)
    assert message.id == "events.W004"
    assert NAME in message.msg
    assert f"manage.py subscriptions forget {NAME}" in message.hint
    assert stored_messages(databases=None) == []
    assert stored_messages(databases=["other"]) == []


def test_w005_another_number_of_lanes_than_the_stored_one_is_a_warning(store, subscribed):
    subscribed(lanes=2)
    drain()
    subscribed(lanes=4)

    [message] = stored_messages()

    assert message.id == "events.W005"
    assert "2 stored lanes" in message.msg
    assert "lanes=4" in message.msg
    assert f"manage.py subscriptions reset {NAME}" in message.hint


@pytest.mark.sqlite
def test_w006_lanes_are_no_gain_on_sqlite(subscribed):
    subscribed(lanes=3)

    [message] = checks.check_lanes_on_sqlite(None)

    assert message.id == "events.W006"
    assert "lanes=3" in message.msg


@pytest.mark.postgresql
def test_w006_lanes_are_fine_on_postgresql(subscribed):
    subscribed(lanes=3)

    assert checks.check_lanes_on_sqlite(None) == []


@pytest.mark.parametrize("pattern", ["tests.ItemAded", "Cart.tests.ItemAded"])
def test_w007_a_pattern_for_a_type_that_no_class_has_is_a_warning(subscribed, pattern):
    subscribed(pattern)

    [message] = checks.check_patterns(None)

    assert message.id == "events.W007"
    assert pattern in message.msg
    assert message.hint == "Did you mean 'tests.ItemAdded'?"


@pytest.mark.django_db(transaction=True)
def test_the_checks_can_run_before_the_tables_are_there(subscribed):
    call_command("migrate", "events", "0002", verbosity=0)
    try:
        assert "events_subscriptions" not in connection.introspection.table_names()
        assert stored_messages() == []
    finally:
        call_command("migrate", "events", verbosity=0)
