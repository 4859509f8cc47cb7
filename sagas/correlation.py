"""The way in: which sagas a recorded event is for, and as what.

An answer finds its saga by the metadata that `sending_context` put on it, and its attempt by its
causation id; or by the key in it, where the step names a `reply_key`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from events.recorded_event import RecordedEvent
from events.registry import event_types

from .identity import saga_id_for, saga_type_of
from .inputs import Answered, Started
from .plan import Plan, read_key
from .registry import Definitions, definitions

SAGA_ID = "saga_id"


@dataclass(frozen=True, slots=True)
class Delivery:
    saga_id: str
    given: Started | Answered


def sending_context(saga_id: str) -> dict[str, str]:
    """Keys for `message_context` while a command of this saga is dispatched, besides the
    command id: whatever the handler records carries them, and finds its way back."""
    return {SAGA_ID: saga_id}


def awaited_event_types(known: Definitions = definitions) -> list[str]:
    """What to subscribe to."""
    classes = {plan.starts_on for plan in known.all_latest()}
    classes |= {cls for plan in known for cls in plan.routes}
    return sorted(cls.event_type for cls in event_types if cls in classes)


def deliveries(
    recorded: RecordedEvent, at: datetime, known: Definitions = definitions
) -> list[Delivery]:
    """Empty for an event that is for no saga. Each is for an instance of its own."""
    return [*_starts(recorded, at, known), *_answers(recorded, at, known)]


def _starts(recorded: RecordedEvent, at: datetime, known: Definitions) -> Iterator[Delivery]:
    for plan in known.all_latest():
        if isinstance(recorded.event, plan.starts_on):
            key = plan.start_key(recorded.event, recorded.aggregate_id)
            started = Started(message=recorded.event, message_id=recorded.event_id, key=key, at=at)
            yield Delivery(saga_id_for(plan.saga_type, key), started)


def _answers(recorded: RecordedEvent, at: datetime, known: Definitions) -> Iterator[Delivery]:
    saga_ids = dict.fromkeys(
        saga_id for plan in known if (saga_id := _saga_id(plan, recorded)) is not None
    )
    causation_id = recorded.metadata.get("causation_id")
    for saga_id in saga_ids:
        yield Delivery(saga_id, Answered(event=recorded.event, causation_id=causation_id, at=at))


def _saga_id(plan: Plan, recorded: RecordedEvent) -> str | None:
    routes = plan.routes.get(type(recorded.event), ())
    if not routes:
        return None
    saga_id = recorded.metadata.get(SAGA_ID)
    if isinstance(saga_id, str) and saga_type_of(saga_id) == plan.saga_type:
        return saga_id
    for route in routes:
        if route.reply_key is not None:
            key = read_key(recorded.event, route.reply_key, recorded.aggregate_id)
            return saga_id_for(plan.saga_type, key)
    return None
