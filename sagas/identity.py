"""Ids that follow from what they are for, so that the same decision always has the same ids."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID, uuid5

_NAMESPACE = UUID("7c0ba5a1-46a5-4a5c-9c0e-5b7d3e0f9c11")
_SEPARATOR = ":"


class Direction(StrEnum):
    DO = "do"
    UNDO = "undo"


def saga_id_for(saga_type: str, key: str) -> str:
    """The id of the instance with this key, which is the aggregate id of its stream."""
    return f"{saga_type}{_SEPARATOR}{key}"


def saga_type_of(saga_id: str) -> str:
    return saga_id.partition(_SEPARATOR)[0]


def effect_key_for(saga_id: str, step: str, direction: Direction) -> UUID:
    """The same for every attempt: who is asked twice under one key acts once."""
    return uuid5(_NAMESPACE, f"{saga_id}/{step}/{direction}")


def message_id_for(saga_id: str, step: str, direction: Direction, attempt: int) -> UUID:
    """Another for every attempt: a recipient that remembers ids would not even look at it."""
    return uuid5(_NAMESPACE, f"{saga_id}/{step}/{direction}/{attempt}")


def reaction_id_for(subscription: str, event_id: UUID, part: str = "") -> UUID:
    """Of the command that a reaction sends: the same each time that it gets the event."""
    return uuid5(_NAMESPACE, f"{subscription}/{event_id}/{part}")


def deadline_id_for(saga_id: str, step: str, direction: Direction) -> UUID:
    """Of the command that is sent when this step of a choreographed process takes too long."""
    return uuid5(_NAMESPACE, f"{saga_id}/{step}/{direction}/deadline")
