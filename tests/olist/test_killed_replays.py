"""A replay that is killed goes on where it was, and comes to the same totals."""

from __future__ import annotations

import io
from functools import partial

import pytest
from django.core.management import call_command

from events.store.configured import event_store
from olist.outcomes import outcomes
from tests.delivery.workers import let_leases_expire
from tests.olist.placed import NUMBER, write_orders
from tests.orders.styles import STYLES, installed
from tests.processes import eventually, running

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = 2
KILLS = 3
EVENTS_BETWEEN_KILLS = 60


def replay(style, directory):
    out = io.StringIO()
    with installed(style):
        call_command("import_olist", directory, "--as", "commands", stdout=out)
    return out.getvalue()


def has_reached(position):
    return event_store().high_water_mark() >= position


@pytest.mark.parametrize("style", STYLES)
def test_a_replay_killed_again_and_again_comes_to_the_same_totals(style, folder):
    directory = str(write_orders(folder, times=TIMES))
    mark = 0
    for _ in range(KILLS):
        with running(replay, style, directory) as process:
            eventually(partial(has_reached, mark + EVENTS_BETWEEN_KILLS), seconds=60)
            process.kill()
        let_leases_expire()
        mark = event_store().high_water_mark()
        assert outcomes().as_expected.total() < NUMBER * TIMES

    replay(style, directory)

    found = outcomes()
    assert found.differences == []
    assert found.orders.total() == found.as_expected.total() == NUMBER * TIMES
    assert found.money.charged == found.money.to_be_charged > 0
    assert found.stock.received == 42 * TIMES
    again = replay(style, directory)
    assert "\n0 orders placed" in f"\n{again}"
