"""The answers given to commands with an id. Used by `command_bus` alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from .codec import JsonObject
from .conf import events_settings
from .exceptions import CommandIdReused, CommandRefused
from .messages import Command
from .models import CommandRecord
from .store.appending import AppendResult
from .streams import StreamName


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """`value` is what the handler returned; `replayed` says that it did so on an earlier call."""

    command_id: UUID
    value: Any
    appended: Sequence[AppendResult]
    #: Of the conversation that the events belong to; of a repetition, that of the first call.
    correlation_id: str
    replayed: bool = False


class AlreadyClaimed(Exception):
    """Another transaction has answered this command id."""


class CommandRecords:
    """The record of one command id."""

    def __init__(self, command: Command, command_id: UUID, sent: JsonObject) -> None:
        self.command_id = command_id
        self._command_type = command.command_type
        text = json.dumps([command.command_type, sent], sort_keys=True)
        self._fingerprint = hashlib.sha256(text.encode()).hexdigest()
        self._using = events_settings().database

    def claim(self) -> None:
        """Inside the command's transaction: who comes with the same id waits until it ends.

        Raises AlreadyClaimed; the transaction can't go on then.
        """
        try:
            self._create({})
        except IntegrityError as error:
            raise AlreadyClaimed from error

    def complete(self, result: CommandResult) -> None:
        outcome = {
            "value": result.value,
            "correlation_id": result.correlation_id,
            "appended": [_append_to_json(append) for append in result.appended],
        }
        CommandRecord.objects.using(self._using).filter(pk=self.command_id).update(outcome=outcome)

    def refuse(self, refusal: CommandRefused) -> bool:
        """Records a refusal; False when the command id was answered meanwhile."""
        outcome = {
            "refusal": {
                "code": refusal.code,
                "message": refusal.message,
                "details": dict(refusal.details),
            }
        }
        try:
            with transaction.atomic(using=self._using):
                self._create(outcome)
        except IntegrityError:
            return False
        return True

    def exist(self) -> bool:
        """Whether the id has been answered, as far as this transaction sees."""
        return CommandRecord.objects.using(self._using).filter(pk=self.command_id).exists()

    def answer(self) -> CommandResult:
        """What was answered before. Raises CommandRefused or CommandIdReused."""
        record = CommandRecord.objects.using(self._using).get(pk=self.command_id)
        if record.fingerprint != self._fingerprint:
            raise CommandIdReused(self.command_id)
        if not record.outcome:  # the claim of this very transaction
            raise CommandIdReused(self.command_id)
        if refusal := record.outcome.get("refusal"):
            raise _refused_again(**refusal)
        return CommandResult(
            command_id=self.command_id,
            value=record.outcome["value"],
            appended=tuple(_append_from_json(each) for each in record.outcome["appended"]),
            correlation_id=record.outcome["correlation_id"],
            replayed=True,
        )

    def _create(self, outcome: JsonObject) -> None:
        CommandRecord.objects.using(self._using).create(
            command_id=self.command_id,
            command_type=self._command_type,
            fingerprint=self._fingerprint,
            outcome=outcome,
        )


def _refused_again(code: str, message: str, details: JsonObject) -> CommandRefused:
    refusal = CommandRefused(message, code=code)
    refusal.details = details
    refusal.replayed = True
    return refusal


def _append_to_json(append: AppendResult) -> JsonObject:
    return {
        "stream": [append.stream.aggregate_type, append.stream.aggregate_id],
        "version": append.version,
        "positions": append.positions,
        "recorded_at": append.recorded_at.isoformat(),
    }


def _append_from_json(document: JsonObject) -> AppendResult:
    return AppendResult(
        stream=StreamName(*document["stream"]),
        version=document["version"],
        positions=tuple(document["positions"]),
        recorded_at=datetime.fromisoformat(document["recorded_at"]),
        replayed=True,
    )
