"""Every error of this app: one class for each decision that a caller can take, facts in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID

    from .streams import StreamName


class EventsError(Exception):
    """Root of all errors of this app. Can be pickled, to be passed between processes."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(cls: type[EventsError], args: tuple[Any, ...], facts: dict[str, Any]) -> EventsError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(facts)
    return error


class InvalidInput(EventsError, ValueError):
    """A value that can't be accepted. `field` names it, as a path where it is nested."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}" if field else reason)


class EncodingError(InvalidInput):
    """A message holds a value that its declared type, or JSON, can't hold. Nothing was written."""

    def under(self, name: str) -> EncodingError:
        """The same error, seen from one level further out."""
        return type(self)(join_path(name, self.field), self.reason)


class DecodingError(EncodingError):
    """Stored or received data doesn't fit the type that it should become."""


def join_path(outer: str, inner: str) -> str:
    """`items` and `[2].price` become `items[2].price`."""
    separator = "" if not outer or not inner or inner.startswith("[") else "."
    return f"{outer}{separator}{inner}"


class RegistrationError(EventsError):
    """Code declares messages or handlers wrongly. Raised while modules are imported."""


class UnknownEventType(EventsError):
    """Stored data of a type, or of a version, that no class in this process is registered for."""

    def __init__(self, event_type: str, event_version: int) -> None:
        self.event_type = event_type
        self.event_version = event_version
        super().__init__(f"No event class is registered for {event_type} version {event_version}.")


class UpcastingFailed(EventsError):
    """An upcaster raised, or the chain has a hole."""

    def __init__(self, event_type: str, from_version: int, reason: str) -> None:
        self.event_type = event_type
        self.from_version = from_version
        super().__init__(f"{event_type} version {from_version} can't be upcast: {reason}")


class ConcurrencyError(EventsError):
    """The stream isn't at the expected version. Nothing was written; load again and decide again.

    `actual` is the version found; -1 where the stream has no events.
    """

    def __init__(self, stream: StreamName, expected: str | int, actual: int) -> None:
        self.stream = stream
        self.expected = expected
        self.actual = actual
        found = f"at version {actual}" if actual >= 0 else "without events"
        super().__init__(f"Expected {stream} at version {expected}, but it is {found}.")


class StaleVersion(ConcurrencyError):
    """The version that the *caller* named is outdated: loading again can't help, asking can."""


class DuplicateEventId(EventsError):
    """An event id of this append is taken by another event. Nothing was written.

    `event_ids` are those that are taken, where it is known.
    """

    def __init__(self, stream: StreamName, detail: str, event_ids: Sequence[UUID] = ()) -> None:
        self.stream = stream
        self.event_ids = tuple(event_ids)
        super().__init__(f"Append to {stream} reuses the id of a stored event: {detail}")


class EventNotFound(EventsError):
    """No event has this id."""

    def __init__(self, event_id: UUID) -> None:
        self.event_id = event_id
        super().__init__(f"No event has the id {event_id}.")


class AggregateNotFound(EventsError):
    """The stream of this aggregate has no events."""

    def __init__(self, stream: StreamName) -> None:
        self.stream = stream
        super().__init__(f"{stream} has no events.")


class MissingApplyMethod(EventsError):
    """An aggregate meets an event that it neither applies nor declares ignored."""

    def __init__(self, aggregate_class: type, event_class: type, method: str) -> None:
        self.aggregate_class = aggregate_class
        self.event_class = event_class
        super().__init__(
            f"{aggregate_class.__name__} has no {method}(self, event); "
            f"write it, or list {event_class.__name__} in `ignored_events`."
        )


class EventsAreImmutable(EventsError):
    """Someone tried to change or delete a stored event. Correct history by appending to it."""


class HighWaterMarkUnavailable(EventsError):
    """The log can't be read in its order from here (a standby, or a frozen snapshot)."""


class CommandRefused(EventsError):
    """A business rule says no. Nothing was changed.

    Subclass it for each rule and set `code`, which callers and API clients rely on: keep it stable.
    `details` must be plain JSON values.
    """

    code = "refused"
    #: Whether this is the recorded answer to an earlier command with the same id.
    replayed = False

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        self.code = code or self.code
        self.message = message
        self.details: Mapping[str, Any] = details
        super().__init__(message)


class InvalidAnswer(EventsError):
    """A handler returned, or refused with, what isn't plain JSON. Nothing was changed."""


class UnknownCommandType(EventsError):
    """No command of this name is registered."""

    def __init__(self, command_type: str) -> None:
        self.command_type = command_type
        super().__init__(f"No command is registered as {command_type}.")


class HandlerNotRegistered(EventsError):
    """A command was dispatched that no handler is registered for."""

    def __init__(self, command_type: str) -> None:
        self.command_type = command_type
        super().__init__(
            f"No handler is registered for {command_type}: decorate one with @handles, "
            "in a module that your DomainAppConfig imports."
        )


class OpenTransaction(EventsError):
    """A command that asks another system first was dispatched where a roll-back could follow."""

    def __init__(self, command_type: str) -> None:
        self.command_type = command_type
        super().__init__(
            f"{command_type} asks another system, which no roll-back undoes: "
            "dispatch it outside of a transaction."
        )


class Unavailable(EventsError):
    """Another system gave no answer. What it did is unknown; the same command again is safe."""


class Outage(EventsError):
    """Raised by a durable handler that can't work for any event now: what it needs is out of reach.

    Its subscription waits, longer each time, and goes on with the same event. No attempt is
    counted: however long it takes, no event becomes a dead letter for it.
    """


class CommandIdReused(EventsError):
    """The id of an earlier command came with a different command, or from its own handler."""

    def __init__(self, command_id: UUID) -> None:
        self.command_id = command_id
        super().__init__(f"Command id {command_id} was used before, for a different command.")


class HandlerTimeout(EventsError, TimeoutError):
    """A handler ran for longer than its time limit, and was interrupted.

    What it was doing is in `__cause__`.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"Interrupted, because it was not done after {seconds:g} s.")


class EventLoopRunning(EventsError):
    """`publish` was called by async code and can't wait for other async code. Await `apublish`."""

    def __init__(self, async_functions: str) -> None:
        super().__init__(
            f"publish() can't wait for {async_functions} within a running event loop: "
            "await apublish() instead."
        )


class UnknownSubscription(EventsError):
    """No subscription of this name is registered in this process."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        hint = f" Known are {', '.join(sorted(known))}." if known else " There are none."
        super().__init__(f"No subscription is named {name!r}.{hint}")


class LeaseLost(EventsError):
    """Another worker has taken over this lane. What was done in its name is rolled back."""

    def __init__(self, subscription: str, lane: int) -> None:
        self.subscription = subscription
        self.lane = lane
        super().__init__(f"Lane {lane} of {subscription} was taken over by another worker.")


class OperatorLogIsImmutable(EventsError):
    """Someone tried to change or delete what the operator log says."""

    def __init__(self) -> None:
        super().__init__("The operator log is added to, and never changed.")


class NotInDelivery(EventsError):
    """`current_delivery()` was asked outside of a durable subscription's handler."""

    def __init__(self) -> None:
        super().__init__("No durable subscription's handler is running here.")


class HandlerDied(EventsError):
    """The process that handled an event, or its database session, ended before the handler did."""

    def __init__(self) -> None:
        super().__init__(
            "The process or its database session ended while it handled this event, and nothing "
            "else."
        )


class DrainFailed(EventsError):
    """Handlers have failed while the log was drained. The first error is the cause."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        super().__init__(f"Handlers have failed {failures} times; the first error is above.")


class UnknownProjection(EventsError):
    """No projection of this name is declared in this process."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        hint = f" Known are {', '.join(sorted(known))}." if known else " There are none."
        super().__init__(f"No projection is named {name!r}.{hint}")


class DryRunNotPossible(EventsError):
    """What the handler does can't be taken back, or there is no handler."""

    def __init__(self, subscription: str, why: str) -> None:
        self.subscription = subscription
        self.why = why
        super().__init__(f"{subscription} can't be tried: {why}.")


class RebuildFailed(EventsError):
    """A projection could not handle an event of the log. Its rows are as before; mend the code, and
    the rebuild goes on from that event."""

    def __init__(self, name: str, position: int, reason: str = "") -> None:
        self.name = name
        self.position = position
        told = f"Rebuilding {name} has failed at an event after position {position}."
        super().__init__(f"{told} {reason}".rstrip())


class RebuildRunning(EventsError):
    """Somebody else is rebuilding this projection."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} is being rebuilt by another process; --restart takes over.")


class RabbitMQNotConfigured(EventsError):
    """Something of RabbitMQ is asked for, and EVENTS["rabbitmq"] doesn't say where it is."""

    def __init__(self) -> None:
        super().__init__('EVENTS["rabbitmq"] is not set: {"url": "amqp://..."} at least.')


class BrokerUnavailable(Outage):
    """No connection to the broker, or no answer from it. What was sent may have arrived or not:
    sent again, it is a duplicate at worst, which consumers tell by its message id."""


class TopologyMismatch(Outage):
    """A queue or an exchange exists with other arguments than the code declares. Nothing was
    changed: the broker can't, and to delete it would lose what is in it."""

    def __init__(self, name: str, difference: str) -> None:
        self.name = name
        self.difference = difference
        super().__init__(
            f"{name} exists, but not as declared here: {difference} "
            "Empty and delete it, or declare it as it is."
        )


class MessageRefused(EventsError):
    """The broker, or its limit, doesn't take this message; others it does. `event_id` names it."""

    def __init__(self, event_id: str, reason: str) -> None:
        self.event_id = event_id
        self.reason = reason
        super().__init__(f"The message {event_id} is refused: {reason}")


class MalformedMessage(EventsError):
    """A message that no event can be made of. The same message again is no better."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"It holds no event: {reason}")
