"""The events of a conversation, and the messages between them, as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from ...models import Event, FailedEvent
from ..causation import VIA, command_names
from ..index_range import Cursor, IndexRange
from ..queries import as_uuid, event_heads, in_log_database

MAX_EVENTS = 200


@dataclass(slots=True, kw_only=True)
class Node:
    """An event; a command, or another message, that events name as their cause; or the event of
    another conversation that led here."""

    key: str
    event: Event | None = None
    #: Of another conversation, or of an earlier page.
    is_outside: bool = False
    #: Of a command, where its record or one of its events names it.
    command_type: str = ""
    cause: Node | None = None
    effects: list[Node] = field(default_factory=list)
    depth: int = 0
    failures: list[FailedEvent] = field(default_factory=list)

    @property
    def is_message(self) -> bool:
        return self.event is None

    @property
    def at(self) -> datetime:
        """Of a message: when its first effect was recorded."""
        if self.event is not None:
            return self.event.recorded_at
        return min(effect.at for effect in self.effects)

    @property
    def caused_at(self) -> datetime:
        """When the event was recorded that led to it: its own time, if none is known."""
        cause = self.cause
        while cause is not None and cause.is_message:
            cause = cause.cause
        return min(cause.at, self.at) if cause is not None else self.at

    def walk(self, depth: int = 0) -> Iterator[Node]:
        """Itself and all below it, causes first. Without recursion: chains may be long."""
        waiting: list[tuple[Node, int]] = [(self, depth)]
        while waiting:
            node, depth = waiting.pop()
            node.depth = depth
            yield node
            waiting.extend((effect, depth + 1) for effect in reversed(node.effects))


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """`next_after` is the position to go on from, where there are more than MAX_EVENTS."""

    correlation_id: str
    roots: list[Node]
    next_after: int | None

    def nodes(self) -> list[Node]:
        return [node for root in self.roots for node in root.walk()]

    def events(self) -> list[Event]:
        inside = (node.event for node in self.nodes() if not node.is_outside)
        return sorted((event for event in inside if event), key=lambda event: event.position)


def read_conversation(correlation_id: str, *, after: int = 0) -> Conversation:
    events, has_more = _read(correlation_id, after)
    nodes = {str(event.event_id): Node(key=str(event.event_id), event=event) for event in events}
    _add_messages(nodes)
    for event in events:
        _link(nodes, str(event.event_id), event.causation_id)
    for failed in _failures([event.event_id for event in events]):
        nodes[str(failed.event_id)].failures.append(failed)
    roots = [node for node in nodes.values() if node.cause is None]
    return Conversation(
        correlation_id=correlation_id,
        roots=sorted(roots, key=lambda node: (node.at, node.key)),
        next_after=events[-1].position if has_more else None,
    )


def _read(correlation_id: str, after: int) -> tuple[list[Event], bool]:
    conversation = IndexRange(["position"], {"correlation_id": correlation_id})
    events = in_log_database(Event.objects.defer("event_data"))
    rows = list(conversation.rows(events, Cursor(key=(after,)))[: MAX_EVENTS + 1])
    return rows[:MAX_EVENTS], len(rows) > MAX_EVENTS


def _add_messages(nodes: dict[str, Node]) -> None:
    """What is named as a cause and isn't among the events: commands, and events of elsewhere."""
    behind: dict[str, str | None] = {}
    for node in list(nodes.values()):
        assert node.event is not None, "only events so far"
        cause = node.event.causation_id
        if cause is not None and cause not in nodes:
            via = node.event.metadata.get(VIA)
            behind[cause] = via if isinstance(via, str) else behind.get(cause)
    wanted = {*behind, *(via for via in behind.values() if via)} - nodes.keys()
    ids = [found for key in wanted if (found := as_uuid(key))]
    outside = {str(event.event_id): event for event in _events(ids)}
    names = command_names([each for each in ids if str(each) not in outside])
    for node in list(nodes.values()):
        assert node.event is not None, "only events so far"
        kind = node.event.metadata.get("command_type")
        if node.event.causation_id and isinstance(kind, str):
            names.setdefault(node.event.causation_id, kind)
    for key in wanted & outside.keys():
        nodes[key] = Node(key=key, event=outside[key], is_outside=True)
    for key, via in behind.items():
        if key not in nodes:
            nodes[key] = Node(key=key, command_type=names.get(key, ""))
            _link(nodes, key, via)


def _events(ids: list[UUID]) -> list[Event]:
    return list(event_heads().filter(event_id__in=ids)) if ids else []


def _link(nodes: dict[str, Node], key: str, cause: str | None) -> None:
    effect, found = nodes[key], nodes.get(cause or "")
    if found is None or _is_below(found, effect):
        return
    effect.cause = found
    found.effects.append(effect)


def _is_below(node: Node | None, other: Node) -> bool:
    """Ids are what their writers say: a circle of them must not hang the page."""
    while node is not None:
        if node is other:
            return True
        node = node.cause
    return False


def _failures(ids: list[UUID]) -> list[FailedEvent]:
    rows = in_log_database(FailedEvent.objects.defer("traceback", "edited"))
    return list(rows.filter(event_id__in=ids))
