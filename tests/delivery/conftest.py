from __future__ import annotations

import pytest

from events.bus.retry import RetryPolicy
from events.bus.subscription import subscribe
from tests.effects.models import Effect, leave_effect

#: Fails for good with the third attempt, and waits for hours before the second.
THREE_ATTEMPTS = RetryPolicy(attempts=3, first_delay_seconds=3600, max_delay_seconds=36000)


@pytest.fixture(autouse=True)
def on_its_own(no_other_subscriptions):
    pass


@pytest.fixture
def subscribed(store):
    """Subscribes a handler, which leaves an effect unless another is given."""

    def subscribed(pattern="*", handler=leave_effect, *, name="tests.effects", **options):
        return subscribe(pattern, handler, name=name, **{"retry": THREE_ATTEMPTS} | options)

    return subscribed


def effects(name="tests.effects"):
    """(aggregate id, sequence number) of what was handled, in the order of that."""
    rows = Effect.objects.filter(subscription=name).order_by("pk")
    return list(rows.values_list("aggregate_id", "sequence_number"))
