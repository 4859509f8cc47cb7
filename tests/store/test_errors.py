"""What errors of the store tell, also behind the border of a process."""

from __future__ import annotations

import pickle
from uuid import UUID

import pytest

from events.exceptions import (
    ConcurrencyError,
    DuplicateEventId,
    EncodingError,
    EventNotFound,
    InvalidInput,
)
from tests.factories import cart

ERRORS = [
    ConcurrencyError(cart(), 3, 4),
    DuplicateEventId(cart(), "some of these ids"),
    EventNotFound(UUID(int=1)),
    InvalidInput("events", "there are none"),
    EncodingError("price", "expected Decimal, got float").under("items[2]"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_can_be_passed_on_to_another_process(error):
    """Pools of processes and task queues pickle what a function raises."""
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
