"""Commands and their answers as JSON. Events have `envelope`, problems a module of their own."""

from __future__ import annotations

from ..codec import JsonObject
from ..command_records import CommandResult
from ..messages import Command
from .catalogue import command_slug, describe
from .metadata import CommandMetadata
from .serializers import serializer_class


def command_to_json(command_class: type[Command], url: str) -> JsonObject:
    return {
        "name": command_slug(command_class.command_type),
        "type": command_class.command_type,
        "url": url,
        "description": describe(command_class),
        "fields": CommandMetadata().get_serializer_info(serializer_class(command_class)()),
    }


def result_to_json(result: CommandResult) -> JsonObject:
    return {
        "command_id": str(result.command_id),
        "result": result.value,
        "appended": [
            {
                "stream": str(append.stream),
                "version": append.version,
                "positions": append.positions,
            }
            for append in result.appended
        ],
        "correlation_id": result.correlation_id,
    }
