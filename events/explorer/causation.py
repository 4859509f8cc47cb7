"""What led to an event, and what it led to: directly, or by a command in between.

An event names the message that it came from. Where that was a command, which is no row of the
log, the event also names what the command came from (`command_causation_id`).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ..models import CommandRecord, Event
from . import queries
from .index_range import Cursor, IndexRange
from .queries import as_uuid, event_heads, in_log_database

#: Later events of the conversation that are looked through for those behind a command.
MAX_LOOKED_THROUGH = 200
VIA = "command_causation_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """`command` is the id of a command between the two, with its type where it was recorded."""

    event: Event | None = None
    command: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    shown: list[Event]
    has_more: bool


def find_cause(event: Event) -> Cause:
    parent = queries.find_parent(event)
    if parent is not None or event.causation_id is None:
        return Cause(event=parent)
    command_id, behind = as_uuid(event.causation_id), as_uuid(str(event.metadata.get(VIA, "")))
    name = command_names([command_id]).get(str(command_id)) if command_id else None
    return Cause(
        event=_find_by_id(behind) if behind else None,
        command=f"{name} {event.causation_id}" if name else event.causation_id,
    )


def effects_of(event: Event) -> Effects:
    direct = queries.children(event)
    behind = _behind_commands(event)
    merged = {each.position: each for each in [*direct, *behind]}
    found = sorted(merged.values(), key=lambda each: each.position)
    return Effects(shown=found[: queries.MAX_CHILDREN], has_more=len(direct) > queries.MAX_CHILDREN)


def _behind_commands(event: Event) -> list[Event]:
    if event.correlation_id is None:
        return []
    conversation = IndexRange(["position"], {"correlation_id": event.correlation_id})
    events = in_log_database(Event.objects.defer("event_data"))
    later = conversation.rows(events, Cursor(key=(event.position,)))[:MAX_LOOKED_THROUGH]
    return [each for each in later if each.metadata.get(VIA) == str(event.event_id)]


def command_names(ids: list[UUID]) -> dict[str, str]:
    """Id -> type, of the commands that were sent with an id."""
    rows = in_log_database(CommandRecord.objects.filter(command_id__in=ids))
    return {str(pk): name for pk, name in rows.values_list("command_id", "command_type")}


def _find_by_id(event_id: UUID) -> Event | None:
    return next(iter(event_heads().filter(event_id=event_id)[:1]), None)
