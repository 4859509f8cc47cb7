"""Aggregates: state that is decided on and rebuilt from events alone. No Django, no database.

class User(EventSourcedAggregate):
    aggregate_type = "User"
    email: str | None = None

    def deactivate(self):
        if not self.is_active:
            raise UserIsDeactivated(...)
        self.add_event(UserDeactivated(deactivation_date=now()))

    def apply_user_deactivated(self, event: UserDeactivated):
        self.is_active = False
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeAlias, TypeVar
from uuid import UUID

from .codec import Codec, JsonObject, compile_fields_codec, resolved_annotations
from .exceptions import MissingApplyMethod, RegistrationError
from .messages import DomainEvent, detached
from .names import lower_case
from .snapshots import Snapshot
from .streams import StreamName

AggregateT = TypeVar("AggregateT", bound="EventSourcedAggregate")

Apply: TypeAlias = Callable[[Any, Any], None]

_OWN_ATTRIBUTES = {"_stream", "_version", "_snapshot_version", "_uncommitted_events"}


class EventSourcedAggregate:
    """Subclasses hold their state in annotated attributes, change it only in `apply_*` methods (one
    an event class, named after it), and decide in methods that call `add_event`.

    The annotated attributes are also what a snapshot holds; override `to_snapshot` and
    `from_snapshot` where the codec can't store one.
    """

    #: The category of the streams. Written out; stored with every event.
    aggregate_type: ClassVar[str]
    #: Raise it when the attributes change: older snapshots are then ignored.
    snapshot_schema_version: ClassVar[int] = 1
    #: Events between two snapshots; None takes the setting, 0 never takes any.
    snapshot_every: ClassVar[int | None] = None
    #: Event classes that don't change the state.
    ignored_events: ClassVar[frozenset[type[DomainEvent]]] = frozenset()

    _apply_methods: ClassVar[dict[type[DomainEvent], Apply | None]]
    _compiled_state_codec: ClassVar[Codec]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._apply_methods = dict.fromkeys(cls.ignored_events)
        for event_class in cls.ignored_events:
            if hasattr(cls, apply_method_name(event_class)):
                raise RegistrationError(f"{cls!r} both applies and ignores {event_class.__name__}.")
        for name, annotation in inspect.get_annotations(cls).items():
            shared = isinstance(cls.__dict__.get(name), list | dict | set)
            if shared and "ClassVar" not in str(annotation):
                raise RegistrationError(
                    f"{cls.__qualname__}.{name} has a default that all of them would share: "
                    "set it in an apply method instead."
                )

    def __init__(self, aggregate_id: str | UUID) -> None:
        self.check_declaration()
        self._stream = StreamName(self.aggregate_type, aggregate_id)
        self._version = -1
        self._snapshot_version = -1
        self._uncommitted_events: list[DomainEvent] = []

    @classmethod
    def check_declaration(cls) -> None:
        """Refuses, before it is used, what could not be saved or kept in a snapshot later."""
        if not hasattr(cls, "aggregate_type"):
            raise RegistrationError(
                f"{cls.__qualname__} has no name: write aggregate_type = '...' into the class."
            )
        if cls.snapshot_every != 0 and cls.to_snapshot is EventSourcedAggregate.to_snapshot:
            cls._state_codec()

    @property
    def stream(self) -> StreamName:
        return self._stream

    @property
    def id(self) -> str:
        return self._stream.aggregate_id

    @property
    def version(self) -> int:
        """Sequence number of the last stored event behind this state; -1 if none is stored yet."""
        return self._version

    @property
    def uncommitted_events(self) -> tuple[DomainEvent, ...]:
        return tuple(self._uncommitted_events)

    def add_event(self, event: DomainEvent) -> None:
        """Applies a new event. It is stored when the aggregate is saved."""
        # Not the event itself: the state may take over a list of it, and add to that.
        self.apply_event(detached(event))
        self._uncommitted_events.append(event)

    def apply_event(self, event: DomainEvent) -> None:
        """Changes the state by one event. Raises MissingApplyMethod."""
        apply = self._apply_method(type(event))
        if apply is not None:
            apply(self, event)

    def replay(self, events: Iterable[tuple[int, DomainEvent]]) -> None:
        """Applies stored events, given with their sequence numbers."""
        for version, event in events:
            self.apply_event(event)
            self._version = version

    def mark_committed(self, version: int) -> None:
        """The uncommitted events are stored now; the last one has this sequence number."""
        self._version = version
        self._uncommitted_events.clear()

    @classmethod
    def _apply_method(cls, event_class: type[DomainEvent]) -> Apply | None:
        try:
            return cls._apply_methods[event_class]
        except KeyError:
            name = apply_method_name(event_class)
            method: Apply | None = getattr(cls, name, None)
            if method is None:
                raise MissingApplyMethod(cls, event_class, name) from None
            return cls._apply_methods.setdefault(event_class, method)

    # --- snapshots ---

    def to_snapshot(self) -> JsonObject:
        state = self._state_codec().encode(self)
        forgotten = vars(self).keys() - _OWN_ATTRIBUTES - state.keys()
        if forgotten:
            raise RegistrationError(
                f"{type(self).__name__} has state without an annotation, which its snapshot would "
                f"forget: {', '.join(sorted(forgotten))}"
            )
        return state

    def from_snapshot(self, data: JsonObject) -> None:
        """Takes over the state. Raises DecodingError where the data doesn't fit."""
        for name, value in self._state_codec().decode(data).items():
            setattr(self, name, value)

    def restore(self, snapshot: Snapshot) -> None:
        self.from_snapshot(snapshot.data)
        self._version = self._snapshot_version = snapshot.version

    def take_snapshot(self) -> Snapshot:
        self._snapshot_version = self._version
        return Snapshot(
            version=self._version,
            schema_version=self.snapshot_schema_version,
            data=self.to_snapshot(),
        )

    def events_since_snapshot(self) -> int:
        return self._version - self._snapshot_version

    @classmethod
    def _state_codec(cls) -> Codec:
        # In the class's own dict: a subclass has another state.
        codec: Codec | None = cls.__dict__.get("_compiled_state_codec")
        if codec is None:
            fields = {name: (annotation, True) for name, annotation in cls._state_fields().items()}
            codec = compile_fields_codec(fields, owner=cls.__qualname__)
            cls._compiled_state_codec = codec
        return codec

    @classmethod
    def _state_fields(cls) -> dict[str, Any]:
        return {
            name: annotation
            for name, annotation in resolved_annotations(cls).items()
            if typing.get_origin(annotation) is not ClassVar
        }


def apply_method_name(event_class: type[DomainEvent]) -> str:
    """`UserRegistered` is applied by `apply_user_registered`."""
    return f"apply_{lower_case(event_class.__name__, '_')}"
