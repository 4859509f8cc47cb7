"""`manage.py sagas`."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from events.models import OperatorAction
from sagas.clock import database_time
from sagas.models import SagaInstance
from sagas.registry import Definitions
from sagas.running import repository

from .shop import PAYMENT
from .trips import (
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


def run(*arguments):
    out = io.StringIO()
    call_command("sagas", *arguments, stdout=out)
    return out.getvalue()


def listed(*arguments):
    return [line.split()[0] for line in run("list", *arguments).splitlines()[1:]]


def test_sagas_are_listed_the_newest_first():
    ids = [charging(1), not_refunded(2)]

    titles, asking, running = run("list").splitlines()

    assert titles.split() == [
        *("SAGA", "STATUS", "UNDER", "WAY", "OPEN", "ITEMS", "STARTED", "UPDATED")
    ]
    assert asking.split()[:4] == [ids[1], "needs_intervention", "hold", "charge"]
    assert running.split()[:4] == [ids[0], "running", "charge", "-"]


def test_the_list_is_narrowed():
    running, ended, asking = charging(1), completed(2), not_refunded(3)
    assert listed("--status", "running") == [running]
    assert listed("--type", "TestTrip", "--status", "completed") == [ended]
    assert listed("--limit", "1") == [asking]
    assert "There are none." in run("list", "--type", "Other")
    assert listed("--stuck", "10") == [asking]
    long_ago = database_time() - timedelta(hours=1)
    SagaInstance.objects.filter(pk=running).update(started_at=long_ago, updated_at=long_ago)
    assert listed("--stuck", "10") == [asking, running]


def test_conditions_that_no_index_serves_together_find_all(monkeypatch):
    """A page of the search may end before it is full."""
    monkeypatch.setattr("events.explorer.paging.SCAN_LIMIT", 2)
    monkeypatch.setattr("events.explorer.paging.SCAN_BATCH", 2)
    ids = [charging(number) for number in range(1, 6)]
    SagaInstance.objects.filter(pk__in=ids[2:]).update(saga_type="Other")
    assert listed("--type", "TestTrip", "--status", "running") == ids[:2][::-1]


def test_the_list_is_there_as_json():
    saga_id = not_refunded()
    [found] = json.loads(run("list", "--json"))
    assert (found["saga_id"], found["status"]) == (saga_id, "needs_intervention")
    assert list(found["open_items"]) == ["charge"]


def test_one_is_shown_with_its_steps():
    text = run("show", not_refunded())

    assert "status: needs_intervention" in text
    assert "Undo it by hand and skip it with evidence" in text
    table, _, state = text.partition("\nSTEP")[2].partition("\n\nstate: ")
    lines = {line.split()[0]: line.split() for line in table.splitlines()[1:]}
    assert lines["charge"][:4] == ["charge", "not_undone", "1", "1"]
    assert lines["confirm"] == ["confirm", "not_reached", "0", "0", "-"]
    shown = json.loads(run("show", f"TestTrip:{UUID(int=7)}", "--json"))
    assert (
        json.loads(state)
        == shown["state"]
        == {
            "order_id": str(UUID(int=7)),
            "total": "90",
            "payment_id": str(PAYMENT),
        }
    )


def test_one_without_its_definition_is_shown(monkeypatch):
    saga_id = not_refunded()
    monkeypatch.setattr("sagas.instance.definitions", Definitions())
    text = run("show", saga_id)
    assert "No saga is defined as TestTrip version 1" in text
    assert "not_undone" in text


@pytest.mark.parametrize(
    ("prepared", "arguments", "status"),
    [
        (waiting, ["retry", "ID", "hold", "--reason", "x"], "running"),
        (waiting, ["skip", "ID", "hold", "--evidence", "x"], "running"),
        (issuing, ["compensate", "ID", "--reason", "x"], "compensating"),
        (issuing, ["abort", "ID", "--reason", "x"], "compensating"),
        (confirming, ["abort", "ID", "--force", "--reason", "x"], "compensating"),
        (blocked, ["release", "ID", "--reason", "x"], "running"),
    ],
)
def test_an_action_is_done_in_the_name_of_the_actor(prepared, arguments, status):
    saga_id = prepared()
    arguments = [saga_id if each == "ID" else each for each in arguments]

    assert f"{arguments[0]} done" in run(*arguments, "--actor", "ann")

    assert status_of(saga_id) == status
    row = OperatorAction.objects.get()
    assert (row.actor, row.reason, row.details["saga_id"]) == ("ann", "x", saga_id)


def test_the_actor_is_the_login_name_unless_another_is_given(monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    run("compensate", issuing(), "--reason", "x")
    assert OperatorAction.objects.get().actor == "root"


def test_what_is_so_already_says_so():
    saga_id = issuing()
    run("compensate", saga_id, "--reason", "x")
    assert "so already" in run("compensate", saga_id, "--reason", "x")
    assert OperatorAction.objects.count() == 1


def test_a_step_is_skipped_with_what_it_learns():
    saga_id = charging()
    learned = json.dumps({"payment_id": str(PAYMENT)})
    run("skip", saga_id, "charge", "--evidence", "receipt", "--learned", learned)
    assert repository.load(saga_id).data.payment_id == PAYMENT


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "operation"),
        (["list", "--status", "odd"], "--status"),
        (["list", "--limit", "0"], "--limit"),
        (["list", "--stuck", "-1"], "--stuck"),
        (["show", "TestTrip:nobody"], "no saga TestTrip:nobody"),
        (["compensate", "TestTrip:nobody", "--reason", "x"], "TestTrip:nobody"),
        (["compensate", "ID"], "--reason"),
        (["compensate", "ID", "--reason", " "], "reason"),
        (["skip", "ID", "charge"], "--evidence"),
        (["skip", "ID", "charge", "--evidence", "x"], "learned: charge learns payment_id"),
        (["skip", "ID", "charge", "--evidence", "x", "--learned", "{"], "--learned"),
        (["skip", "ID", "charge", "--evidence", "x", "--learned", "[]"], "--learned"),
        (["retry", "ID", "nothing", "--reason", "x"], "no step 'nothing'"),
        (["retry", "ID", "charge", "--reason", "x"], "only what failed or waits"),
        (["release", "ID", "--reason", "x"], "isn't blocked"),
    ],
)
def test_bad_input_is_refused_with_what_is_wrong_with_it(arguments, message):
    saga_id = charging()
    with pytest.raises(CommandError, match=message):
        run(*(saga_id if each == "ID" else each for each in arguments))
    assert not OperatorAction.objects.exists()
