"""Workers as a site runs them: `manage.py qcluster` and `manage.py run_subscriptions`."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest
from django_q.models import OrmQ

from events.delivery.wake_ups import LOST_AFTER_SECONDS
from events.models import Lane, WakeUp
from events.store.configured import event_store
from tests.delivery.workers import handled_by_stream
from tests.factories import cart, item_added
from tests.live.site import Site, database_url
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "live.effects"


@pytest.fixture
def site(tmp_path, transactional_db):
    return Site(tmp_path, database_url())


def handled():
    return handled_by_stream(NAME).get("cart-1", [])


def nobody_is_awake():
    return not WakeUp.objects.exists() and not OrmQ.objects.exists()


@pytest.mark.parametrize(
    "environment", [{}, pytest.param({"LIVE_POOL": "1"}, marks=pytest.mark.postgresql)]
)
def test_a_cluster_is_woken_by_an_append_and_sleeps_and_is_woken_again(tmp_path, environment):
    site = Site(tmp_path, database_url(), **environment)
    with site.running("qcluster") as cluster:
        for events in (2, 4):
            site.append("pen", "ink")
            eventually(lambda events=events: len(handled()) == events)
            eventually(nobody_is_awake)
        assert cluster.poll() is None
    assert handled() == [0, 1, 2, 3]


def test_tasks_that_a_new_secret_key_has_made_unreadable_are_made_up_for(tmp_path):
    Site(tmp_path, database_url(), LIVE_SECRET_KEY="old").append("pen")
    assert OrmQ.objects.count() == 1
    site = Site(tmp_path, database_url(), LIVE_SECRET_KEY="new")
    with site.running("qcluster"):
        eventually(lambda: not OrmQ.objects.exists())
        assert handled() == []
        lost = WakeUp.objects.get()
        lost.requested_at -= timedelta(seconds=LOST_AFTER_SECONDS)
        lost.save()

        site.append("ink")

        eventually(lambda: handled() == [0, 1])


def test_a_worker_ends_in_good_order_in_the_midst_of_a_batch(site):
    names = ["pen", "ink", "wall", "nib", "cap"]
    positions = event_store().append(cart(1), [item_added(name=name) for name in names]).positions
    site.wall.touch()
    with site.running("run_subscriptions") as worker:
        eventually(lambda: site.has_reached_the_wall)
        worker.send_signal(signal.SIGTERM)
        site.wall.unlink()

        output, _ = worker.communicate(timeout=20)

    assert worker.returncode == 0, output
    assert "3 handled, 0 failed" in output
    assert handled() == [0, 1, 2]
    lane = Lane.objects.get(subscription=NAME)
    assert (lane.position, lane.token, lane.attempted_to) == (positions[2], None, None)
