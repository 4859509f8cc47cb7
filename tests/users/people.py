"""Users for the tests, made by commands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from events.command_bus import command_bus
from events.command_records import CommandResult
from events.recorded_event import RecordedEvent
from events.store.configured import event_store
from events.streams import StreamName
from users.commands import DeactivateUser, LogInUser, RegisterUser

ANN = UUID("018f0000-0000-7000-8000-00000000000a")
BOB = UUID("018f0000-0000-7000-8000-00000000000b")


def register(user_id: UUID = ANN, **overrides: Any) -> CommandResult:
    command_id = overrides.pop("command_id", None)
    given: dict[str, Any] = {
        "email": "ann@example.org",
        "name": "Ann",
        "user_id": user_id,
    } | overrides
    return command_bus.dispatch(RegisterUser(**given), command_id=command_id)


def log_in(user_id: UUID = ANN) -> CommandResult:
    return command_bus.dispatch(LogInUser(user_id=user_id))


def deactivate(user_id: UUID = ANN, *, expected_version: int | None = None) -> CommandResult:
    return command_bus.dispatch(DeactivateUser(user_id=user_id, expected_version=expected_version))


def history(user_id: UUID = ANN) -> list[RecordedEvent]:
    return list(event_store().read_stream(StreamName("User", user_id)))


def event_names(user_id: UUID = ANN) -> list[str]:
    return [recorded.event_type for recorded in history(user_id)]
