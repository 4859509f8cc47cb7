"""Whoever doesn't use RabbitMQ needs no client of it, and wrong settings are told by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from events.rabbitmq.checks import check_rabbitmq

ROOT = Path(__file__).parents[2]
URL = "amqp://nowhere"

IMPORTED = """
import sys, django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "events", "sagas"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    EVENTS=%s, USE_TZ=True,
)
django.setup()
from events.bus.subscription import subscriptions
print(sorted({"amqp", "kombu", "events.rabbitmq"} & sys.modules.keys()))
print([each.name for each in subscriptions])
"""


def imported(events_settings) -> list[str]:
    finished = subprocess.run(
        [sys.executable, "-c", IMPORTED % json.dumps(events_settings)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout.splitlines()


def test_nothing_of_it_is_imported_where_no_broker_is_named():
    assert imported({})[0] == "[]"


def test_a_named_broker_gets_a_relay_without_being_asked():
    modules, names = imported({"rabbitmq": {"url": URL}})
    assert modules == "['amqp', 'events.rabbitmq', 'kombu']"
    assert "'rabbitmq.relay'" in names


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, None),
        ({"url": URL}, None),
        ({"exchange": "x"}, "['url']: is missing"),
        ({"url": URL, "echange": "x"}, "did you mean 'exchange'?"),
        ({"url": "localhost"}, "['url']"),
        ({"url": URL, "relay": "*"}, "['relay']"),
        ({"url": URL, "heartbeat_seconds": 0}, "['heartbeat_seconds']"),
        ({"url": URL, "inbox_days": True}, "['inbox_days']"),
        ({"url": URL, "relay_start": "later"}, "['relay_start']"),
    ],
)
def test_wrong_settings_are_told_by_name(settings, given, told):
    settings.EVENTS = settings.EVENTS | {"rabbitmq": given}

    messages = check_rabbitmq(None)

    assert [each.id for each in messages] == ([] if told is None else ["events.E013"])
    assert all(told in each.msg for each in messages)
