"""Has a recorded command handled, and makes what becomes of it an input for the saga.

`outcome_of` is for commands that are read from the log (`sending`); `handle_at_once` for those that
are handled in the very transaction that records their request (`running`).
"""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import TypeVar

from django.db import InterfaceError, OperationalError, transaction

from events.command_bus import command_bus
from events.conf import events_settings
from events.context import message_context
from events.exceptions import CommandRefused, HandlerNotRegistered
from events.messages import Command

from .clock import database_time
from .correlation import sending_context
from .inputs import Failed, Handled, Refused
from .outgoing import Requested, direction_of, recorded_command
from .plan import PlannedLeg

logger = logging.getLogger(__name__)

AnswerT = TypeVar("AnswerT", Handled, Refused, Failed)


class RaisedAtOnce(Exception):
    """A command that was handled together with its request has raised the cause of this."""

    def __init__(self, event: Requested, *, is_refusal: bool) -> None:
        self.leg = (event.step, direction_of(event))
        self.is_refusal = is_refusal
        super().__init__(event.command_type)


def asks_another_system(command_class: type[Command]) -> bool:
    try:
        return command_bus.asks_first(command_class)
    except HandlerNotRegistered:
        return False


def can_be_handled_at_once(leg: PlannedLeg) -> bool:
    """Its effects are in the database, and that its handler returns is the answer: the request, the
    effects and the answer can be one commit."""
    return leg.on_success is None and not asks_another_system(leg.command_class)


def handle_at_once(saga_id: str, event: Requested, *, may_be_refused: bool) -> Handled | Refused:
    """A savepoint, which a refusal takes, costs as much as a small command: where nobody has
    refused yet, none is made, and RaisedAtOnce says that all has to be rolled back.

    Raises OperationalError and InterfaceError, which nobody is to blame for.
    """
    using = events_settings().database
    try:
        with (
            message_context(causation_id=str(event.event_id), **sending_context(saga_id)),
            transaction.atomic(using=using) if may_be_refused else nullcontext(),
        ):
            command_bus.dispatch(recorded_command(event), command_id=event.message_id, joins=True)
    except (OperationalError, InterfaceError):
        raise
    except CommandRefused as refusal:
        if not may_be_refused:
            raise RaisedAtOnce(event, is_refusal=True) from refusal
        return _answer(Refused, event, reason=f"{refusal.code}: {refusal}")
    except Exception as error:
        raise RaisedAtOnce(event, is_refusal=False) from error
    return _answer(Handled, event)


def outcome_of(saga_id: str, event: Requested) -> Handled | Refused | Failed:
    """The command's id keeps a repetition from having effects of its own.

    Raises OperationalError and InterfaceError, which are no answer.
    """
    try:
        with message_context(**sending_context(saga_id)):
            command_bus.dispatch(recorded_command(event), command_id=event.message_id)
    except (OperationalError, InterfaceError):
        raise
    except CommandRefused as refusal:
        return _answer(Refused, event, reason=f"{refusal.code}: {refusal}")
    except Exception as error:
        logger.warning(
            "%s of %s failed, attempt %d",
            event.command_type,
            saga_id,
            event.attempt,
            exc_info=error,
        )
        return _answer(Failed, event, reason=f"{type(error).__name__}: {error}")
    return _answer(Handled, event)


def _answer(kind: type[AnswerT], event: Requested, **facts: str) -> AnswerT:
    return kind(
        step=event.step,
        direction=direction_of(event),
        attempt=event.attempt,
        at=database_time(),
        **facts,
    )
