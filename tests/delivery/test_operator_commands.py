"""`manage.py subscriptions` and `manage.py dead_letters`."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from events.bus.retry import RetryPolicy
from events.bus.subscription import Delivery, subscriptions
from events.delivery.draining import drain
from events.management.table import aligned
from events.models import FailedEvent, Lane, OperatorAction, SubscriptionState
from tests.delivery.conftest import effects
from tests.effects.models import leave_effect
from tests.factories import cart, items

pytestmark = pytest.mark.django_db

NAME = "tests.effects"


def run(*arguments):
    out, errors = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=errors)
    return out.getvalue()


@pytest.fixture
def fragile(store, subscribed):
    """Fails at the second event of these carts until they are taken off the list."""
    bad = {"cart-1", "cart-2", "cart-3"}

    def handle(event):
        if event.aggregate_id in bad and event.sequence_number == 1:
            raise ValueError("no good")
        leave_effect(event)

    subscribed(handler=handle, retry=RetryPolicy(attempts=1))
    for number in (1, 2, 3, 4):
        store.append(cart(number), items(3))
    drain(raise_errors=False)
    return bad


# --- subscriptions ---


def test_subscriptions_are_listed_with_their_lag(store, subscribed):
    subscribed()
    subscribed(name="here", delivery=Delivery.LOCAL, retry=RetryPolicy(attempts=1))
    drain()
    last = store.append(cart(1), items(2)).positions[-1]

    titles, here, durable = run("subscriptions").splitlines()

    assert " ".join(titles.split()) == (
        "NAME DELIVERY STATE LANES POSITION HEAD LAG SECONDS RATE RETRYING PARKED"
    )
    assert here.split()[:3] == ["here", "local", "active"]
    position = str(Lane.objects.get().position)
    assert durable.split()[:7] == [NAME, "durable", "active", "1", position, str(last), "2"]


def test_without_subscriptions_it_says_so():
    assert "no subscriptions" in run("subscriptions")


def test_a_stored_subscription_without_code_is_marked(store, subscribed):
    subscribed()
    drain()
    subscriptions.remove(NAME)

    assert "active, no code" in run("subscriptions")


def test_all_of_it_is_there_as_json(store, subscribed):
    subscribed(lanes=2)
    drain()

    [found] = json.loads(run("subscriptions", "--json"))

    assert (found["name"], found["lag"], len(found["lanes"])) == (NAME, 0, 2)


def test_watching_shows_events_a_second(store, subscribed, monkeypatch):
    subscribed()
    drain()
    naps = []

    def nap(seconds):
        naps.append(seconds)
        if len(naps) == 2:
            raise KeyboardInterrupt
        store.append(cart(1), items(5))
        drain()

    monkeypatch.setattr("time.sleep", nap)
    lines = run("subscriptions", "--watch", "2").splitlines()

    assert naps == [2, 2]
    rates = [line.split()[8] for line in lines if line.startswith(NAME)]
    assert rates[0] == "-"
    assert float(rates[1]) > 0


def test_a_subscription_is_paused_and_resumed(store, subscribed):
    subscribed()
    run("subscriptions", "pause", NAME, "--reason", "deploy", "--actor", "ann")
    state = SubscriptionState.objects.get()
    assert (state.status, state.reason) == ("paused", "deploy")

    run("subscriptions", "resume", NAME, "--actor", "ann")
    assert SubscriptionState.objects.get().status == "active"


@pytest.mark.parametrize(("to", "handled"), [("beginning", 3), ("now", 0), ("POSITION", 2)])
def test_a_subscription_is_reset(store, subscribed, to, handled):
    subscribed()
    positions = store.append(cart(1), items(3)).positions
    drain()
    to = str(positions[1]) if to == "POSITION" else to

    run("subscriptions", "reset", NAME, "--to", to, "--reason", "again")

    assert drain().handled == handled


def test_a_subscription_is_forgotten(store, subscribed):
    subscribed()
    drain()
    subscriptions.remove(NAME)

    run("subscriptions", "forget", NAME, "--reason", "gone")

    assert not SubscriptionState.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pause", "nobody", "--reason", "x"], "Known are tests.effects"),
        (["pause", NAME], "--reason"),
        (["pause", NAME, "--reason", " "], "reason"),
        (["reset", NAME, "--to", "then", "--reason", "x"], "neither beginning nor now"),
        (["reset", NAME, "--to", "0", "--reason", "x"], "position from 1"),
        (["reset", NAME, "--reason", "x"], "--to"),
        (["forget", NAME, "--reason", "x"], "in the code"),
        (["--watch", "0"], "--watch"),
    ],
)
def test_bad_input_is_refused_with_what_is_wrong_with_it(store, subscribed, arguments, message):
    subscribed()
    with pytest.raises(CommandError, match=message):
        run("subscriptions", *arguments)
    assert not OperatorAction.objects.exists()


def test_the_actor_is_the_login_name_unless_another_is_given(store, subscribed, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    subscribed()
    run("subscriptions", "pause", NAME, "--reason", "x")
    run("subscriptions", "resume", NAME, "--actor", "ann")

    actors = OperatorAction.objects.order_by("pk").values_list("actor", flat=True)
    assert list(actors) == ["root", "ann"]


def test_a_system_without_names_asks_for_one(store, subscribed, monkeypatch):
    def fail():
        raise OSError

    monkeypatch.setattr("getpass.getuser", fail)
    subscribed()
    with pytest.raises(CommandError, match="--actor"):
        run("subscriptions", "pause", NAME, "--reason", "x")


# --- dead_letters ---


def ids():
    return [str(pk) for pk in FailedEvent.objects.order_by("pk").values_list("pk", flat=True)]


def test_dead_letters_are_listed(fragile):
    titles, *rows = run("dead_letters", "list").splitlines()

    assert titles.split()[:4] == ["ID", "SUBSCRIPTION", "EVENT", "STREAM"]
    assert [row.split()[:4] for row in rows] == [
        [pk, NAME, "tests.ItemAdded", f"Cart-cart-{number}"]
        for number, pk in enumerate(ids(), start=1)
    ]
    assert len(run("dead_letters", "list", "--limit", "1").splitlines()) == 2
    assert len(run("dead_letters", "list", "--stream", "Cart-cart-2").splitlines()) == 2
    assert "none" in run("dead_letters", "list", "-s", "another")
    assert len(json.loads(run("dead_letters", "list", "--json", "--status", "dead"))) == 3


def test_a_dead_letter_is_shown_with_its_error_data_and_what_waits(fragile):
    text = run("dead_letters", "show", ids()[0])

    assert "error_type: ValueError" in text
    assert 'raise ValueError("no good")' in text
    assert '"name": "item 1"' in text
    assert "waits behind it: tests.ItemAdded at" in text


def test_dead_letters_are_retried_by_id(fragile):
    fragile.clear()
    first, second, _ = ids()

    assert "2 done" in run("dead_letters", "retry", first, second)

    assert drain().handled == 4
    assert FailedEvent.objects.count() == 1


@pytest.mark.parametrize("by", ["--group", "--type", "--stream", "--all"])
def test_dead_letters_are_retried_by_what_they_have_in_common(fragile, by):
    fragile.clear()
    row = FailedEvent.objects.first()
    value = {"--group": row.fingerprint, "--type": row.event_type, "--stream": "Cart-cart-1"}
    run("dead_letters", "retry", "-s", NAME, by, *([value[by]] if by in value else []))

    drain()

    assert FailedEvent.objects.count() == (2 if by == "--stream" else 0)


def test_dead_letters_are_discarded_with_a_reason(fragile):
    run("dead_letters", "discard", ids()[0], "--reason", "test order")

    drain()
    assert [place for place in effects() if place[0] == "cart-1"] == [
        ("cart-1", 0),
        ("cart-1", 2),
    ]
    assert OperatorAction.objects.get().reason == "test order"


@pytest.mark.parametrize("source", ["file", "-"])
def test_a_dead_letter_is_edited(fragile, tmp_path, monkeypatch, source):
    data = '{"name": "ink", "quantity": 2}'
    if source == "file":
        (tmp_path / "data.json").write_text(data)
        source = str(tmp_path / "data.json")
    monkeypatch.setattr("sys.stdin", io.StringIO(data))

    run("dead_letters", "edit", ids()[0], "--data", source)

    row = FailedEvent.objects.get(pk=ids()[0])
    assert (row.status, row.edited["data"]) == ("retrying", {"name": "ink", "quantity": 2})


def test_what_was_skipped_makes_the_command_fail_after_the_others_are_done(fragile):
    with pytest.raises(CommandError, match="1 skipped"):
        run("dead_letters", "retry", ids()[0], "999999")
    assert FailedEvent.objects.filter(status="retrying").count() == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["retry"], "Choose some"),
        (["retry", "-s", NAME], "Choose some"),
        (["retry", "--all"], "-s NAME"),
        (["retry", "1", "--all", "-s", NAME], "not by both"),
        (["discard", "1"], "--reason"),
        (["list", "--status", "undead"], "--status"),
        (["list", "--stream", "nonsense"], "nonsense"),
        (["show", "999999"], "no failed event 999999"),
        (["edit", "1", "--data", "/nowhere/data.json"], "--data"),
        ([], "operation"),
    ],
)
def test_a_bad_choice_is_refused(fragile, arguments, message):
    with pytest.raises(CommandError, match=message):
        run("dead_letters", *arguments)
    assert not OperatorAction.objects.exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [("{", "isn't JSON"), ('{"name": "ink"}', "quantity"), ("[]", "object")],
)
def test_data_that_does_not_fit_is_refused(fragile, monkeypatch, data, message):
    monkeypatch.setattr("sys.stdin", io.StringIO(data))
    with pytest.raises(CommandError, match=message):
        run("dead_letters", "edit", ids()[0], "--data", "-")


def test_a_table_without_rows_has_its_titles():
    assert aligned(["name", "lag"], []) == "NAME  LAG"
    assert aligned(["name", "lag"], [("a", 5), ("long one", None)]) == (
        "NAME      LAG\na           5\nlong one    -"
    )
