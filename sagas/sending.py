"""Sends the commands that sagas have recorded, and tells the saga where there is no answer.

Two subscriptions, by where a command has its effects: in the database, where they are committed
together with the checkpoint; or, for a handler that asks another system first, outside of any
transaction, where the command's id keeps a repetition from having effects of its own.
"""

from __future__ import annotations

import logging

from django.db import InterfaceError, OperationalError

from events.bus.retry import RetryPolicy
from events.bus.subscription import Effects, subscribe
from events.command_bus import command_bus
from events.context import message_context
from events.exceptions import CommandRefused, HandlerNotRegistered
from events.recorded_event import RecordedEvent
from events.registry import command_types

from .clock import database_time
from .correlation import sending_context
from .exceptions import SagaIsBlocked
from .inputs import Failed, Handled, Refused
from .instance import Saga
from .outgoing import REQUESTS, Requested, direction_of, recorded_command
from .running import give, repository

logger = logging.getLogger(__name__)

COMMANDS = "sagas.commands"
ASKING_COMMANDS = "sagas.asking_commands"
#: Other systems are asked by so many workers at the same time.
ASKING_LANES = 4

#: Of what is no answer to the saga, such as a database that can't be reached.
_RETRY = RetryPolicy(attempts=10, first_delay_seconds=0.5, factor=3, max_delay_seconds=600)


def send(recorded: RecordedEvent) -> None:
    """Whatever becomes of the command is an answer to the saga; its attempts are the saga's."""
    event: Requested = recorded.event  # type: ignore[assignment]
    saga_id = recorded.aggregate_id
    saga = repository.load(saga_id)
    if saga.state is not None and saga.state.blocked_by is not None:
        raise SagaIsBlocked(saga_id, saga.state.blocked_by)  # to be sent after the release
    if saga.state is None or not saga.state.wants(event.step, direction_of(event), event.attempt):
        return
    try:
        with message_context(**sending_context(saga_id)):
            command_bus.dispatch(recorded_command(event), command_id=event.message_id)
    except (OperationalError, InterfaceError):
        raise
    except CommandRefused as refusal:
        _tell(saga_id, Refused, event, reason=f"{refusal.code}: {refusal}")
    except Exception as error:
        logger.warning(
            "%s of %s failed, attempt %d",
            event.command_type,
            saga_id,
            event.attempt,
            exc_info=error,
        )
        _tell(saga_id, Failed, event, reason=f"{type(error).__name__}: {error}")
    else:
        if _answers_by_return(saga, event):
            _tell(saga_id, Handled, event)


def _answers_by_return(saga: Saga, event: Requested) -> bool:
    return saga.plan.steps[event.step].leg(direction_of(event)).on_success is None


def _tell(
    saga_id: str, kind: type[Handled | Refused | Failed], event: Requested, **facts: str
) -> None:
    give(
        saga_id,
        kind(
            step=event.step,
            direction=direction_of(event),
            attempt=event.attempt,
            at=database_time(),
            **facts,
        ),
    )


def _asks_first(recorded: RecordedEvent) -> bool:
    command_class = command_types.find(recorded.data["command_type"])
    try:
        return command_class is not None and command_bus.asks_first(command_class)
    except HandlerNotRegistered:
        return False


def _asks_nothing(recorded: RecordedEvent) -> bool:
    return not _asks_first(recorded)


def subscribe_to_requests() -> None:
    subscribe(REQUESTS, send, name=COMMANDS, filter=_asks_nothing, retry=_RETRY, priority=5)
    subscribe(
        REQUESTS,
        send,
        name=ASKING_COMMANDS,
        filter=_asks_first,
        retry=_RETRY,
        priority=5,
        effects=Effects.EXTERNAL,
        lanes=ASKING_LANES,
        timeout_seconds=60,
    )
