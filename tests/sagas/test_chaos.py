"""The short form of `make chaos SUITE=sagas`."""

from __future__ import annotations

import pytest

from chaos.fates import FATES
from chaos.sagas import Plan, run

# Where the database can't tell that a worker is gone, its leases have to expire first.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


def test_orders_end_as_they_must_whenever_their_workers_are_killed():
    outcome = run(Plan(kills=8, orders=60, workers=2))

    outcome.show()
    assert outcome.injected.total() == 8
    assert outcome.reached.total() > 0
    assert outcome.judgement is not None
    assert outcome.judgement.problems == []
    assert {fate for fate, _ in outcome.judgement.ends} == {fate.name for fate in FATES}
    assert outcome.stuck == 0
