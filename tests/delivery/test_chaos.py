"""The short form of `make chaos SUITE=bus`."""

from __future__ import annotations

import pytest

from chaos.bus import Plan, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_kills_at_any_moment_lose_nothing_double_nothing_and_keep_the_order():
    outcome = run(Plan(kills=10, events=500, workers=2, streams=50, lease_seconds=0.5))

    outcome.show()
    assert outcome.injected.total() == 10
    assert outcome.reached.total() > 0
    assert outcome.events == 500
    assert outcome.effects == 1500
    assert outcome.holds
