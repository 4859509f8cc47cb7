"""Carries reactions out: one durable subscription for each, event in, command out.

A command is handled in the transaction of the checkpoint; one whose handler asks another system
first is sent outside of any, where its id keeps a repetition from having effects of its own.
"""

from __future__ import annotations

from django.db import transaction

from events.bus.subscription import Effects, subscribe
from events.command_bus import command_bus
from events.conf import events_settings
from events.exceptions import CommandRefused, HandlerNotRegistered, RegistrationError
from events.messages import Command
from events.recorded_event import RecordedEvent

from .choreography import choreographies
from .identity import reaction_id_for
from .process import Process, Reaction

#: Other systems are asked by so many workers at the same time.
ASKING_LANES = 4


class Reactor:
    """The handler of one reaction."""

    def __init__(self, process: Process, reaction: Reaction) -> None:
        self.process = process
        self.reaction = reaction
        self._subscription = subscription_name(process, reaction)

    def __call__(self, recorded: RecordedEvent) -> None:
        command = self.reaction.react(recorded)
        if command is None:
            return
        try:
            self._send(command, recorded)
        except CommandRefused as refusal:
            if self.reaction.on_refusal is None:
                raise
            instead = self.reaction.on_refusal(recorded, refusal)
            if instead is not None:
                self._send(instead, recorded, part="instead")

    def _send(self, command: Command, recorded: RecordedEvent, part: str = "") -> None:
        outcome = {}
        command_id = reaction_id_for(self._subscription, recorded.event_id, part)
        if command_bus.asks_first(type(command)):
            if command_bus.recall(command, command_id) is not None:
                return
            outcome["outcome"] = command_bus.ask(command)
        # Around the record of a refusal, too: an operator's retry shall ask the handler again,
        # and not get the old answer.
        with transaction.atomic(using=events_settings().database):
            command_bus.dispatch(command, command_id=command_id, **outcome)


def subscription_name(process: Process, reaction: Reaction) -> str:
    return f"sagas.{process.saga_type}.{reaction.name}"


def subscribe_reactions(process: Process) -> None:
    """Raises RegistrationError where the handler of a command isn't known yet."""
    for reaction in process.reactions:
        asks = _asks_first(process, reaction)
        subscribe(
            tuple(sorted(cls.event_type for cls in reaction.events)),
            Reactor(process, reaction),
            name=subscription_name(process, reaction),
            retry=reaction.retry,
            timeout_seconds=reaction.timeout_seconds,
            effects=Effects.EXTERNAL if asks else Effects.DATABASE,
            lanes=ASKING_LANES if asks else 1,
            # A card that gets no answer says nothing about the next one, and patience is enough
            # for a system that is away.
            backs_off=False,
            priority=5,
            start=process.start,
        )


def follow_choreographies() -> None:
    """Those there are, and those that come."""
    for process in choreographies:
        subscribe_reactions(process)
    choreographies.observers.append(subscribe_reactions)


def _asks_first(process: Process, reaction: Reaction) -> bool:
    try:
        return sum(command_bus.asks_first(command) for command in reaction.commands) > 0
    except HandlerNotRegistered as error:
        raise RegistrationError(
            f"{process.definition.__qualname__}.{reaction.name}: {error} Import its module before."
        ) from error
