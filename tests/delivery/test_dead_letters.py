"""Operators retry, discard and edit failed events: what comes of it, and what is written down."""

from __future__ import annotations

import pytest

from events.bus.retry import RetryPolicy
from events.bus.subscription import OnFailure, subscriptions
from events.delivery import dead_letters, failures
from events.delivery.dead_letters import Choice, Skipped, choose, find
from events.delivery.draining import drain
from events.exceptions import (
    DecodingError,
    EventNotFound,
    InvalidInput,
    OperatorLogIsImmutable,
    UnknownEventType,
)
from events.models import FailedEvent, Lane, OperatorAction, SubscriptionState
from events.registry import event_types
from tests.delivery.conftest import effects
from tests.effects.models import leave_effect
from tests.factories import cart, item_added, item_removed, items

pytestmark = pytest.mark.django_db

ONE_ATTEMPT = RetryPolicy(attempts=1)


class Fragile:
    """Leaves its effect; fails at the events of these places as long as they are in `bad`."""

    def __init__(self, *bad):
        self.bad = set(bad)
        self.seen = []

    def __call__(self, event):
        self.seen.append(event)
        if (event.aggregate_id, event.sequence_number) in self.bad:
            raise ValueError("no good")
        leave_effect(event)


@pytest.fixture
def dead(store, subscribed):
    """Makes dead letters of the events at these places, and gives the handler."""

    def dead(*bad, counts=(4,), **options):
        fragile = Fragile(*bad)
        subscribed(handler=fragile, **{"retry": ONE_ATTEMPT} | options)
        for number, count in enumerate(counts, start=1):
            store.append(cart(number), items(count))
        drain(raise_errors=False)
        return fragile

    return dead


def retry(chosen, reason=""):
    return dead_letters.retry(chosen, actor="ann", reason=reason)


def discard(chosen, reason="broken for good"):
    return dead_letters.discard(chosen, actor="ann", reason=reason)


# --- retry ---


def test_a_retried_event_is_handled_and_what_waited_follows_in_order(dead):
    fragile = dead(("cart-1", 1))
    fragile.bad.clear()
    [row] = find()

    outcome = retry(choose(find()))

    assert (outcome.done, outcome.skipped) == ((row.pk,), ())
    assert drain().handled == 3
    assert effects() == [("cart-1", number) for number in range(4)]
    assert not FailedEvent.objects.exists()


def test_a_retry_has_all_its_attempts_before_it(dead):
    dead(("cart-1", 1), retry=RetryPolicy(attempts=2, first_delay_seconds=0))
    drain(retries=True, raise_errors=False)
    assert FailedEvent.objects.get().status == "dead"

    retry(choose(find()))

    assert FailedEvent.objects.get().attempts == 0
    drain(retries=True, raise_errors=False)
    row = FailedEvent.objects.get()
    assert (row.status, row.attempts) == ("dead", 2)


def test_a_retry_that_is_not_due_yet_can_be_made_now(store, subscribed):
    fragile = Fragile(("cart-1", 0))
    subscribed(handler=fragile)
    store.append(cart(1), items(1))
    drain(raise_errors=False)
    fragile.bad.clear()
    assert drain().handled == 0  # an hour to go

    retry(choose(find(status="retrying")))

    assert drain().handled == 1


def test_a_skipped_event_can_be_retried_after_its_successors(dead):
    fragile = dead(("cart-1", 1), on_failure=OnFailure.SKIP)
    fragile.bad.clear()

    retry(choose(find()))

    assert drain().handled == 1
    assert effects() == [("cart-1", 0), ("cart-1", 2), ("cart-1", 3), ("cart-1", 1)]


def test_a_skipped_event_that_fails_again_repeats_nothing_and_blocks_nothing(store, dead):
    dead(("cart-1", 1), on_failure=OnFailure.SKIP)

    retry(choose(find()))
    drain(raise_errors=False)
    store.append(cart(1), items(1))
    drain(raise_errors=False)

    assert effects() == [("cart-1", 0), ("cart-1", 2), ("cart-1", 3), ("cart-1", 4)]
    row = FailedEvent.objects.get()
    assert (row.sequence_number, row.status, row.blocks) == (1, "dead", False)


def test_a_skipped_event_does_not_free_a_stream_that_waits_for_another(store, subscribed, dead):
    fragile = dead(("cart-1", 1), on_failure=OnFailure.SKIP)
    fragile.bad = {("cart-1", 4)}
    subscribed(handler=fragile)
    store.append(cart(1), items(1))
    drain(raise_errors=False)

    retry(choose(find(status="dead")))
    store.append(cart(1), items(1))
    drain(raise_errors=False)

    assert ("cart-1", 1) in effects()
    assert ("cart-1", 5) not in effects()
    assert FailedEvent.objects.get().sequence_number == 4


def test_a_group_is_retried_by_its_fingerprint(store, subscribed):
    def handle(event):
        if event.aggregate_id == "cart-1":
            raise KeyError("this")
        raise ValueError("that")

    subscribed(handler=handle, retry=ONE_ATTEMPT)
    for number in (1, 2, 3):
        store.append(cart(number), items(1))
    drain(raise_errors=False)
    group = FailedEvent.objects.filter(aggregate_id="cart-2").get().fingerprint

    retry(choose(find(fingerprint=group, status="dead")))

    statuses = dict(FailedEvent.objects.values_list("aggregate_id", "status"))
    assert statuses == {"cart-1": "dead", "cart-2": "retrying", "cart-3": "retrying"}


# --- discard ---


def test_a_discarded_event_is_passed_over_and_what_waited_follows(dead):
    dead(("cart-1", 1), counts=(4, 1))

    outcome = discard(choose(find()))

    assert len(outcome.done) == 1
    drain()
    assert [place for place in effects() if place[0] == "cart-1"] == [
        ("cart-1", 0),
        ("cart-1", 2),
        ("cart-1", 3),
    ]
    assert not FailedEvent.objects.exists()


def test_behind_a_discarded_event_the_next_one_can_fail_in_its_turn(dead):
    dead(("cart-1", 1), ("cart-1", 2))

    discard(choose(find()))
    drain(raise_errors=False)

    row = FailedEvent.objects.get()
    assert (row.sequence_number, row.status, row.blocks) == (2, "dead", True)
    discard(choose(find()))
    drain()
    assert effects() == [("cart-1", 0), ("cart-1", 3)]


def test_discarding_the_last_event_frees_the_stream_for_new_ones(store, dead):
    dead(("cart-1", 3))

    discard(choose(find()))
    assert not FailedEvent.objects.exists()
    store.append(cart(1), items(1))

    assert drain().handled == 1
    assert effects()[-1] == ("cart-1", 4)


def test_an_event_can_be_discarded_right_before_it_is_retried(dead, monkeypatch):
    dead(("cart-1", 1), counts=(4, 1))
    retry(choose(find()))
    is_used_up = failures.is_used_up

    def discard_first(subscription, row):
        monkeypatch.setattr(failures, "is_used_up", is_used_up)
        discard(choose(find()))
        return is_used_up(subscription, row)

    monkeypatch.setattr(failures, "is_used_up", discard_first)
    drain()
    drain()

    numbers = [number for stream, number in effects() if stream == "cart-1"]
    assert numbers == [0, 2, 3]
    assert not FailedEvent.objects.exists()


def test_a_skipped_event_that_is_discarded_repeats_nothing(dead):
    dead(("cart-1", 1), on_failure=OnFailure.SKIP)

    discard(choose(find()))

    assert drain().handled == 0
    assert not FailedEvent.objects.exists()


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_discarding_needs_a_reason(dead, reason):
    dead(("cart-1", 1))

    with pytest.raises(InvalidInput, match="reason"):
        discard(choose(find()), reason=reason)

    assert FailedEvent.objects.get().status == "dead"


def test_without_code_nobody_knows_what_waits(dead):
    dead(("cart-1", 1))
    chosen = choose(find())
    subscriptions.remove("tests.effects")

    [skipped] = discard(chosen).skipped

    assert "no code" in skipped.why
    assert FailedEvent.objects.count() == 1
    assert not OperatorAction.objects.exists()


# --- edit and retry ---


def edit(row, data, reason="wrong unit"):
    [choice] = choose([row])
    return dead_letters.edit_and_retry(choice, data, actor="ann", reason=reason)


def test_an_edited_event_is_delivered_with_its_new_data_and_the_log_stays(store, dead):
    fragile = dead(("cart-1", 1))
    fragile.bad.clear()
    fragile.seen.clear()
    original = list(store.read_stream(cart(1)))[1]

    edit(FailedEvent.objects.get(), {"name": "ink", "quantity": 7})
    drain()

    delivered = fragile.seen[0]
    assert (delivered.event.name, delivered.event.quantity) == ("ink", 7)
    assert delivered.event_id != original.event_id
    assert delivered.metadata["replaces"] == str(original.event_id)
    assert effects() == [("cart-1", number) for number in range(4)]
    assert list(store.read_stream(cart(1)))[1] == original
    with pytest.raises(EventNotFound):
        store.get_event(delivered.event_id)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"name": "ink", "quantity": "many"}, "quantity"),
        ({"name": "ink"}, "quantity"),
        ({"name": "ink", "quantity": 1, "colour": "red"}, "colour"),
        (["ink"], "object"),
    ],
)
def test_data_that_does_not_fit_the_event_is_refused_before_anything_is_written(dead, data, field):
    dead(("cart-1", 1))

    with pytest.raises(InvalidInput, match=field):
        edit(FailedEvent.objects.get(), data)

    row = FailedEvent.objects.get()
    assert (row.status, row.edited) == ("dead", None)
    assert not OperatorAction.objects.exists()


def test_an_event_that_no_code_knows_cannot_be_edited(dead, monkeypatch):
    dead(("cart-1", 1))
    monkeypatch.setattr(event_types, "_classes", {})

    with pytest.raises(UnknownEventType):
        edit(FailedEvent.objects.get(), {"name": "ink", "quantity": 1})


def test_the_data_to_edit_is_that_of_the_last_edit(dead):
    dead(("cart-1", 1))
    row = FailedEvent.objects.get()
    assert dead_letters.data_to_edit(row) == {"name": "item 1", "quantity": 1}

    edit(row, {"name": "ink", "quantity": 7})

    assert dead_letters.data_to_edit(FailedEvent.objects.get()) == {"name": "ink", "quantity": 7}


def test_decoding_errors_are_input_errors():
    """So that callers have to know one kind alone."""
    assert issubclass(DecodingError, InvalidInput)


# --- the frozen choice ---


def test_a_row_that_failed_again_since_it_was_chosen_is_left_alone(dead):
    dead(("cart-1", 1))
    chosen = choose(find())
    retry(chosen)
    drain(raise_errors=False)  # dead once more, by another failure

    outcome = discard(chosen)

    assert outcome.done == ()
    assert outcome.skipped == (Skipped(chosen[0].id, "it has changed since it was chosen"),)
    assert FailedEvent.objects.get().status == "dead"


def test_a_row_that_is_gone_is_reported(dead):
    fragile = dead(("cart-1", 1))
    fragile.bad.clear()
    chosen = choose(find())
    retry(chosen)
    drain()

    for act in (retry, discard):
        [skipped] = act(chosen).skipped
        assert skipped.id == chosen[0].id
        assert "gone" in skipped.why


def test_others_of_the_choice_are_done_all_the_same(dead):
    dead(("cart-1", 0), ("cart-2", 0), ("cart-3", 0), counts=(1, 1, 1))
    chosen = choose(find())
    discard(chosen[1:2])

    outcome = retry([*chosen, chosen[0], Choice(10**9, "none")])

    assert outcome.done == (chosen[0].id, chosen[2].id)
    assert [each.id for each in outcome.skipped] == [chosen[1].id, 10**9]


def test_a_choice_of_many_is_done_in_parts(store, dead, monkeypatch):
    monkeypatch.setattr(dead_letters, "_TOGETHER", 2)
    dead(*((f"cart-{number}", 0) for number in range(1, 10, 2)), counts=(1,) * 9, lanes=3)

    outcome = discard(choose(find()))

    assert len(outcome.done) == 5
    assert not FailedEvent.objects.exists()


# --- finding ---


def test_failed_events_are_found_by_what_they_have_in_common(store, subscribed):
    for name in ("one", "two"):
        subscribed(name=name, handler=lambda event: 1 / 0, retry=ONE_ATTEMPT)
    store.append(cart(1), [item_added()])
    store.append(cart(2), [item_removed()])
    drain(raise_errors=False)

    assert find().count() == 4
    assert find(subscription="one").count() == 2
    assert find(subscription="one", event_type="tests.ItemAdded").count() == 1
    assert find(stream=cart(2), status="dead").count() == 2
    assert find(status="retrying").count() == 0
    assert find(fingerprint=find()[0].fingerprint).count() == 4
    with pytest.raises(InvalidInput, match="status"):
        find(status="undead")


def test_what_waits_behind_an_event_can_be_looked_at(dead):
    dead(("cart-1", 1), counts=(5, 2))
    row = FailedEvent.objects.get()

    waiting = dead_letters.waiting_behind(row, 2)

    assert [event.sequence_number for event in waiting] == [2, 3]
    subscriptions.remove("tests.effects")
    assert dead_letters.waiting_behind(row, 2) == []


# --- the operator log ---


def test_each_action_is_written_down_with_what_it_was_done_to(dead):
    dead(("cart-1", 1))
    row = FailedEvent.objects.get()

    retry(choose([row]), reason="mended")
    edit(FailedEvent.objects.get(), {"name": "ink", "quantity": 7})
    discard(choose(find()))

    actions = list(OperatorAction.objects.order_by("pk"))
    assert [(each.action, each.actor, each.reason) for each in actions] == [
        ("retry", "ann", "mended"),
        ("edit", "ann", "wrong unit"),
        ("discard", "ann", "broken for good"),
    ]
    for action in actions:
        assert action.subscription == "tests.effects"
        assert action.details["event_id"] == str(row.event_id)
        assert action.details["position"] == row.position
        assert action.details["stream"] == "Cart-cart-1"
        assert action.details["error_type"] == "ValueError"
        assert action.details["error_message"] == "no good"
    assert actions[1].details["data_before"] == {"name": "item 1", "quantity": 1}
    assert actions[1].details["data_after"] == {"name": "ink", "quantity": 7}


def test_nobody_acts_without_a_name(dead):
    dead(("cart-1", 1))
    with pytest.raises(InvalidInput, match="actor"):
        dead_letters.retry(choose(find()), actor=" ")
    assert FailedEvent.objects.get().status == "dead"


def test_the_operator_log_is_not_changed_by_the_model(dead):
    dead(("cart-1", 1))
    retry(choose(find()))
    with pytest.raises(OperatorLogIsImmutable):
        OperatorAction.objects.update(actor="bob")


# --- the lanes of workers ---


def test_a_lane_is_taken_from_a_worker_only_where_it_may_be_busy_with_the_event(dead):
    dead(("cart-1", 1))
    Lane.objects.update(
        token="0198c0de-7e1a-7000-8000-0000000000bb", leased_until="2999-01-01T00:00Z"
    )

    retry(choose(find()))
    assert Lane.objects.get().token is not None
    assert SubscriptionState.objects.get().changed_at is None

    retry(choose(find()))  # it is tried now
    assert Lane.objects.get().token is None
    assert SubscriptionState.objects.get().changed_at is not None
