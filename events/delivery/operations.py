"""What an operator does to a subscription as a whole: pause, resume, reset, forget.

Whoever is in the middle of handling its events loses the lane, and commits nothing after this.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from ..bus.subscription import Start, Subscription, subscriptions
from ..conf import events_settings
from ..exceptions import InvalidInput, UnknownSubscription
from ..models import Lane, SubscriptionState
from .failures import failed_events
from .lanes import ensure_rows, lanes_in_log_database, start_position, take_back
from .operator_log import check_actor, check_reason, write_down
from .sources import source_of

Status = SubscriptionState.Status


def pause(name: str, *, actor: str, reason: str) -> None:
    """Nothing of it is handled until it is resumed. Events wait in the log; none is lost."""
    check_reason(reason)
    _ensure_known(name, actor)
    with transaction.atomic(using=events_settings().database):
        before = _change_state(name, status=Status.PAUSED, reason=reason)
        take_back(name)
        _write_down("pause", before, actor, reason)


def resume(name: str, *, actor: str, reason: str = "") -> None:
    """After a pause, or after it stopped by itself. Ends a back-off, too."""
    _ensure_known(name, actor)
    with transaction.atomic(using=events_settings().database):
        before = _change_state(name, status=Status.ACTIVE, reason="")
        lanes_in_log_database().filter(subscription_id=name).update(not_before=None)
        _write_down("resume", before, actor, reason)


def reset(name: str, *, to: Start | int, actor: str, reason: str) -> None:
    """It goes on from there: `to` is a Start, or the position of the first event that it gets.
    Its failed events are forgotten, and it gets as many lanes as its code says.

    What its handler did stays done: going back, it does it again for each event.
    """
    check_reason(reason)
    _ensure_known(name, actor)
    position = _checked_position(name, to)
    with transaction.atomic(using=events_settings().database):
        before = _change_state(name)
        failed_events().filter(subscription_id=name).delete()
        positions = take_back(name)
        # Once more: a worker may have recorded another one until its lane was taken from it.
        failed_events().filter(subscription_id=name).delete()
        lanes_in_log_database().filter(subscription_id=name).update(
            position=position,
            attempted_to=None,
            attempts=0,
            failure_streak=0,
            outages=0,
            not_before=None,
            updated_at=Now(),
        )
        _fit_lanes(name, positions, position)
        _write_down("reset", before, actor, reason, positions=positions, to=position)


def forget(name: str, *, actor: str, reason: str) -> None:
    """Removes all that is stored of a subscription whose code is gone."""
    check_reason(reason)
    _ensure_known(name, actor)
    if _in_code(name) is not None:
        raise InvalidInput("name", f"{name} is in the code, and would begin anew: use reset")
    with transaction.atomic(using=events_settings().database):
        before = _change_state(name)
        failed = failed_events().filter(subscription_id=name)
        failed_count = failed.count()
        failed.delete()
        positions = take_back(name)
        SubscriptionState.objects.using(events_settings().database).filter(name=name).delete()
        _write_down(
            "forget", before, actor, reason, positions=positions, failed_events=failed_count
        )


def known_names() -> list[str]:
    """Of durable subscriptions that are in the code of this process, or stored."""
    stored = SubscriptionState.objects.using(events_settings().database)
    in_code = (each.name for each in subscriptions.stored())
    return sorted({*stored.values_list("name", flat=True), *in_code})


def _ensure_known(name: str, actor: str) -> None:
    """One that was never run gets its rows. Raises UnknownSubscription with the known names."""
    check_actor(actor)
    known = known_names()
    if name not in known:
        raise UnknownSubscription(name, known)
    subscription = _in_code(name)
    if subscription is not None:
        ensure_rows([subscription], source_of(name))


def _in_code(name: str) -> Subscription | None:
    found = subscriptions.find(name)
    return found if found is not None and found.is_stored else None


def _change_state(name: str, **values: Any) -> SubscriptionState:
    """Returns it as it was."""
    states = SubscriptionState.objects.using(events_settings().database).filter(name=name)
    before = states.select_for_update(no_key=True).first()
    if before is None:
        raise UnknownSubscription(name, known_names())
    states.update(changed_at=timezone.now(), **values)
    return before


def _checked_position(name: str, to: Start | int) -> int:
    subscription = _in_code(name)
    if subscription is not None and not subscription.is_in_streams:
        raise InvalidInput("name", f"{name} has no position: its queue has what it has")
    store = source_of(name)
    if isinstance(to, Start):
        return start_position(to, store)
    end = store.high_water_mark() + 1
    if type(to) is not int or not 1 <= to <= end:
        raise InvalidInput("to", f"expected a position from 1 to {end}, where the log ends")
    return start_position(to, store)


def _fit_lanes(name: str, positions: dict[int, int], position: int) -> None:
    subscription = _in_code(name)
    if subscription is None:
        return
    lanes = lanes_in_log_database()
    lanes.filter(subscription_id=name, number__gte=subscription.lanes).delete()
    lanes.bulk_create(
        Lane(subscription_id=name, number=number, position=position)
        for number in range(subscription.lanes)
        if number not in positions
    )


def _write_down(
    action: str, before: SubscriptionState, actor: str, reason: str, **details: Any
) -> None:
    facts = {"status_before": before.status, "reason_before": before.reason, **details}
    write_down(action, before.name, actor=actor, reason=reason, details=facts)
