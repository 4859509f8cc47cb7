"""Sends the commands that sagas have recorded, and tells the saga where there is no answer.

Two subscriptions, by where a command has its effects: in the database, where they are committed
together with the checkpoint; or, for a handler that asks another system first, outside of any
transaction, where the command's id keeps a repetition from having effects of its own.
Those that were handled together with their request (see `running`) are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from events.bus.retry import RetryPolicy
from events.bus.subscription import Effects, Handler, subscribe
from events.recorded_event import RecordedEvent
from events.registry import command_types

from .asking import asks_another_system, outcome_of
from .exceptions import SagaIsBlocked
from .inputs import Handled
from .instance import Saga
from .outgoing import REQUESTS, Requested, direction_of, was_handled_at_once
from .running import Give, Sagas, give, is_first_attempt, repository

COMMANDS = "sagas.commands"
ASKING_COMMANDS = "sagas.asking_commands"
#: Other systems are asked by so many workers at the same time.
ASKING_LANES = 4

#: Of what is no answer to the saga, such as a database that can't be reached.
_RETRY = RetryPolicy(attempts=10, first_delay_seconds=0.5, factor=3, max_delay_seconds=600)


class Sender:
    """Whatever becomes of a command is an answer to its saga; its attempts are the saga's."""

    def __call__(self, recorded: RecordedEvent) -> None:
        send_one(recorded, repository.load, give)

    @contextmanager
    def together(self) -> Iterator[Handler]:
        sagas = Sagas()
        yield lambda recorded: send_one(recorded, sagas.get, sagas.give)
        sagas.save()


send = Sender()


def send_one(recorded: RecordedEvent, load: Callable[[str], Saga], give: Give) -> None:
    """What a request stands for, unless its saga no longer wants that."""
    event: Requested = recorded.event  # type: ignore[assignment]
    saga_id, direction = recorded.aggregate_id, direction_of(event)
    saga = load(saga_id)
    if saga.state is not None and saga.state.blocked_by is not None:
        raise SagaIsBlocked(saga_id, saga.state.blocked_by)  # to be sent after the release
    if saga.state is None or not saga.state.wants(event.step, direction, event.attempt):
        return
    answer = outcome_of(saga_id, event)
    leg = saga.plan.steps[event.step].leg(direction)
    if leg.on_success is None or not isinstance(answer, Handled):
        give(saga_id, answer, goes_on_at_once=is_first_attempt())


def _asks_first(recorded: RecordedEvent) -> bool:
    command_class = command_types.find(recorded.data["command_type"])
    return command_class is not None and asks_another_system(command_class)


def _asks_nothing(recorded: RecordedEvent) -> bool:
    return not was_handled_at_once(recorded.metadata) and not _asks_first(recorded)


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
