"""The page of a saga draws where it stands, and how long it took; timers have a list."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.test import Client

from events.models import OperatorAction
from sagas.clock import database_time
from sagas.explorer import diagram
from sagas.explorer.diagram import of_plan
from sagas.explorer.timing import timing
from sagas.models import SagaInstance, SagaTimer
from sagas.progress import step_views
from sagas.running import repository
from tests.explorer.pages import inline_code, links, list_url, row_url, shown, text_of
from tests.explorer.test_operator_pages import tiles
from tests.sagas.trips import (
    blocked,
    charging,
    completed,
    confirming,
    issuing,
    not_refunded,
    status_of,
    waiting,
)

pytestmark = pytest.mark.django_db

PERMISSIONS = {
    "retry": (waiting, "hold", "retry_saga"),
    "skip": (waiting, "hold", "skip_saga"),
    "compensate": (charging, "", "compensate_saga"),
    "abort": (charging, "", "abort_saga"),
    "force-abort": (confirming, "", "force_abort_saga"),
    "release": (blocked, "", "release_saga"),
}


def page_url(saga_id):
    return row_url(SagaInstance(saga_id=quote(saga_id)))


def boxes(saga_id):
    """(name, whether it undoes) -> state."""
    saga = repository.load(saga_id)
    drawn = of_plan(saga.plan, step_views(saga.plan, saga.state))
    return {(box.name, box.is_undo): box.state for box in drawn.boxes}


def test_what_is_done_doing_and_still_to_come_is_drawn():
    drawn = boxes(charging())
    assert drawn["look_up", False] == drawn["hold", False] == "done"
    assert drawn["charge", False] == "doing"
    assert drawn["issue", False] == drawn["confirm", False] == "to-come"
    assert {state for (_, is_undo), state in drawn.items() if is_undo} == {"idle"}


def test_what_is_undone_is_drawn_below_what_was_done():
    saga = repository.load(not_refunded())
    drawn = of_plan(saga.plan, step_views(saga.plan, saga.state))
    undo = {
        box.text.partition(" undoes ")[2].partition(":")[0]: box
        for box in drawn.boxes
        if box.is_undo
    }
    doing = {box.name: box for box in drawn.boxes if not box.is_undo}

    assert (doing["issue"].state, undo["charge"].state) == ("failed", "failed")
    assert doing["charge"].state == doing["hold"].state == "done"
    assert undo["hold"].state in ("doing", "undone", "to-come")
    for name, box in undo.items():
        assert (box.x, box.y > doing[name].y) == (doing[name].x, True)


def test_boxes_do_not_overlap_and_lie_within_the_picture():
    saga = repository.load(completed())
    drawn = of_plan(saga.plan, step_views(saga.plan, saga.state))
    places = [(box.x, box.y) for box in drawn.boxes]
    assert len(set(places)) == len(places)
    assert all(box.x >= 0 and box.right <= drawn.width for box in drawn.boxes)
    assert all(box.y >= 0 and box.y + box.height <= drawn.height for box in drawn.boxes)


def test_a_saga_of_very_many_steps_has_its_table_alone(admin_client, monkeypatch):
    monkeypatch.setattr(diagram, "MAX_STEPS", 3)
    html = text_of(admin_client, page_url(charging()))
    assert '<svg class="explorer-graph"' not in html
    assert '<th scope="row">confirm</th>' in html


def test_the_picture_has_a_title_a_description_and_nothing_inline(admin_client):
    html = text_of(admin_client, page_url(not_refunded()))
    assert 'aria-labelledby="diagram-title diagram-description"' in html
    assert html.count('<g class="explorer-step') == html.count("</g>")
    assert inline_code(html) == []


def test_attempts_are_listed_with_their_outcome():
    saga_id = not_refunded()
    found = timing(repository.load(saga_id).stream, database_time())

    outcomes = [(each.step, each.direction.value, each.outcome) for each in found]
    assert outcomes[:4] == [
        ("look_up", "do", "succeeded"),
        ("hold", "do", "succeeded"),
        ("charge", "do", "succeeded"),
        ("issue", "do", "rejected"),
    ]
    assert ("charge", "undo", "failed") in outcomes
    assert all(0 <= each.x <= each.x + each.width <= 1000 for each in found)


def test_an_attempt_under_way_has_no_end_yet():
    *_, last = timing(repository.load(charging()).stream, database_time())
    assert (last.step, last.ended_at, last.took) == ("charge", None, "-")


@pytest.mark.parametrize("name", PERMISSIONS)
def test_each_action_on_a_saga_has_a_permission_of_its_own(name):
    prepared, step, permission = PERMISSIONS[name]
    saga_id = prepared()
    before = status_of(saga_id)
    url = f"{list_url(SagaInstance)}operate/{name}/?id={saga_id}&step={step}"
    others = {each for _, _, each in PERMISSIONS.values()} - {permission}
    client = _staff("ann", "view_sagainstance", *others)

    assert client.get(url).status_code == client.post(url, {"reason": "x"}).status_code == 403
    assert (status_of(saga_id), OperatorAction.objects.count()) == (before, 0)
    assert _staff("bob", "view_sagainstance", permission).get(url).status_code == 200


def _staff(name, *permissions):
    account = User.objects.create_user(name, is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(account)
    return client


def test_what_is_not_possible_says_why(admin_client):
    html = text_of(admin_client, page_url(confirming()))
    assert "Compensate" not in links(html)
    [why] = re.findall(r'class="is-disabled" title="([^"]*)">Compensate<', html)
    assert "pivot" in why


def test_timers_are_listed_the_soonest_first(admin_client):
    ids = [waiting(1), waiting(2)]
    now = database_time()
    SagaTimer.objects.filter(saga_id=ids[1]).update(due_at=now - timedelta(days=4000))

    html = text_of(admin_client, list_url(SagaTimer))

    rows = re.findall(r'field-saga[^"]*"><a href="[^"]*">(.*?)</a>', html)
    assert rows[0] == ids[1]
    assert "overdue" in html
    found = text_of(admin_client, list_url(SagaTimer, q=ids[0]))
    assert set(re.findall(r'field-saga[^"]*"><a href="[^"]*">(.*?)</a>', found)) == {ids[0]}
    assert tiles(admin_client)["Timers"] == ("overdue", "bad")


def test_timers_are_for_those_who_may_view_sagas():
    assert _staff("ann", "view_event").get(list_url(SagaTimer)).status_code == 403
    assert _staff("bob", "view_sagainstance").get(list_url(SagaTimer)).status_code == 200


def test_the_overview_counts_sagas_that_need_somebody(admin_client):
    not_refunded(1), blocked(2), charging(3), completed(4)

    found = tiles(admin_client)

    assert found["Sagas that need somebody"] == ("2", "bad")
    assert found["Sagas at work"] == ("1", "busy")


def test_actions_on_a_saga_are_found_by_its_id(admin_client):
    saga_id = issuing()
    url = f"{list_url(SagaInstance)}operate/abort/?id={saga_id}"
    form = dict(re.findall(r'name="([a-z_]+)" value="([^"]*)"', text_of(admin_client, url)))
    admin_client.post(url, form | {"reason": "call 4711"})

    assert len(shown(admin_client, list_url(OperatorAction, q=saga_id))) == 1
    html = text_of(admin_client, list_url(OperatorAction, q=f"subject:{saga_id}"))
    assert links(html)[saga_id] == page_url(saga_id)
    assert "call 4711" in text_of(admin_client, page_url(saga_id))
