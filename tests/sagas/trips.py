"""Trips that are stored, each brought to where a test wants it."""

from __future__ import annotations

from uuid import UUID

from events.messages import DomainEvent
from sagas.identity import Direction, message_id_for, saga_id_for
from sagas.inputs import Answered, Blocked, Failed, Handled, Started
from sagas.models import SagaInstance
from sagas.running import give
from tests.factories import MOMENT

from .shop import RefundImpossible, SeatHeld, TicketIssued, TicketRefused, booked, charged, of_order

DO, UNDO = Direction.DO, Direction.UNDO


def started(number: int = 7) -> str:
    """Looks up the fare."""
    key = UUID(int=number)
    saga_id = saga_id_for("TestTrip", str(key))
    message = booked(order_id=key)
    give(saga_id, Started(message=message, message_id=message.event_id, key=str(key), at=MOMENT))
    return saga_id


def holding(number: int = 7) -> str:
    saga_id = started(number)
    give(saga_id, Handled(step="look_up", direction=DO, attempt=1, at=MOMENT))
    return saga_id


def waiting(number: int = 7) -> str:
    """For the second attempt at holding the seat."""
    saga_id = holding(number)
    give(saga_id, Failed(step="hold", direction=DO, attempt=1, reason="no line", at=MOMENT))
    return saga_id


def charging(number: int = 7) -> str:
    saga_id = holding(number)
    answer(saga_id, "hold", of_order(SeatHeld))
    return saga_id


def issuing(number: int = 7) -> str:
    saga_id = charging(number)
    answer(saga_id, "charge", charged())
    return saga_id


def confirming(number: int = 7) -> str:
    """The pivot is passed."""
    saga_id = issuing(number)
    answer(saga_id, "issue", of_order(TicketIssued))
    return saga_id


def completed(number: int = 7) -> str:
    saga_id = confirming(number)
    give(saga_id, Handled(step="confirm", direction=DO, attempt=1, at=MOMENT))
    return saga_id


def not_refunded(number: int = 7) -> str:
    """Waits for an operator."""
    saga_id = issuing(number)
    answer(saga_id, "issue", of_order(TicketRefused))
    answer(saga_id, "charge", of_order(RefundImpossible), UNDO)
    return saga_id


def blocked(number: int = 7) -> str:
    saga_id = holding(number)
    give(saga_id, Blocked(input_id=UUID(int=1), reason="<b>no such field</b>", at=MOMENT))
    return saga_id


def answer(saga_id: str, step: str, event: DomainEvent, direction: Direction = DO) -> None:
    cause = message_id_for(saga_id, step, direction, 1)
    give(saga_id, Answered(event=event, causation_id=str(cause), at=MOMENT))


def status_of(saga_id: str) -> str:
    return SagaInstance.objects.get(pk=saga_id).status
