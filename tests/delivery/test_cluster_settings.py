from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.db import connections

from config.settings import EVENTS, Q_CLUSTER
from events.bus.subscription import subscribe
from events.delivery.cluster_checks import check_cluster


@pytest.fixture(autouse=True)
def used(settings):
    settings.EVENTS = EVENTS


def found():
    return {message.id for message in check_cluster(None)}


def test_the_settings_of_the_example_are_right(settings):
    settings.Q_CLUSTER = Q_CLUSTER

    assert found() == set()


def test_the_check_is_registered(settings):
    settings.Q_CLUSTER = {}

    assert "events.W011" in {message.id for message in run_checks()}


@pytest.mark.parametrize(
    ("changed", "id"),
    [
        ({"orm": None}, "events.W011"),
        ({"timeout": None}, "events.W012"),
        ({"timeout": 20}, "events.W012"),
        ({"retry": 100}, "events.W013"),
        ({"queue_limit": 50}, "events.W013"),
        ({"save_limit": 250}, "events.W014"),
        ({"ack_failures": False}, "events.W015"),
        ({"catch_up": True}, "events.W015"),
    ],
)
def test_each_trap_is_named(settings, changed, id):
    settings.Q_CLUSTER = Q_CLUSTER | {"workers": 1} | changed

    assert found() == {id}


def test_a_task_must_outlast_the_longest_handler(settings):
    settings.Q_CLUSTER = Q_CLUSTER
    subscribe("*", print, name="slow", timeout_seconds=120)

    assert found() == {"events.W012"}


def test_django_q_must_be_installed(settings):
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django_q"]

    assert found() == {"events.E011"}


@pytest.mark.postgresql
def test_connections_are_to_be_kept(settings, monkeypatch):
    settings.Q_CLUSTER = Q_CLUSTER
    monkeypatch.setitem(connections["default"].settings_dict, "CONN_MAX_AGE", 0)

    assert found() == {"events.W016"}


def test_who_does_without_a_cluster_is_left_alone(settings):
    settings.EVENTS = {"wake_up": None}
    settings.Q_CLUSTER = {}

    assert found() == set()
