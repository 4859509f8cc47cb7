"""The short form of `make chaos SUITE=rabbitmq`."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings

from chaos.rabbitmq import Plan, run

pytestmark = [
    pytest.mark.rabbitmq,
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
]


def test_kills_at_any_moment_lose_nothing_and_double_nothing(amqp_url, monkeypatch):
    monkeypatch.setattr(django_settings, "EVENTS", django_settings.EVENTS)

    outcome = run(Plan(kills=6, broker_kills=1, events=300, streams=20))

    outcome.show()
    assert outcome.injected["broker"] == 1
    assert outcome.events == 300
    assert outcome.effects == 600
    assert outcome.holds
