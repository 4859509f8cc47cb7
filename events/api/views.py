"""Parse, call, report. Commands go to `command_bus`, questions to the event store."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotModified
from django.utils.http import parse_etags
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from ..codec import JsonObject
from ..command_bus import command_bus
from ..command_records import CommandResult
from ..conf import events_settings
from ..context import message_context
from ..envelope import recorded_event_to_json
from ..exceptions import AggregateNotFound, EncodingError, InvalidInput, UnknownCommandType
from ..messages import Command
from ..store.configured import event_store
from ..streams import StreamName
from .authentication import refuse_forgeable
from .base import EventsAPIView
from .catalogue import command_slug, commands_for, describe, get_command_class
from .idempotency import REPLAYED_HEADER, as_sent, idempotency_key
from .parsers import StrictJSONParser
from .permissions import IsAuthenticated, MaySendCommand
from .query_strings import read_query
from .renderers import JSONRenderer
from .representations import command_to_json, result_to_json
from .serializers import DataclassSerializer, serializer_class
from .stream_pages import PageQuery, stream_page_to_json


class CommandListView(EventsAPIView):
    name = "Commands"
    description = "The commands that you may send."
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        here = request.build_absolute_uri(request.path)
        commands = [
            command_to_json(cls, f"{here}/{command_slug(cls.command_type)}")
            for cls in commands_for(request.user)
        ]
        return Response({"commands": commands})


class CommandView(EventsAPIView):
    """One view for all commands, those included that are registered after it."""

    name = "Command"
    permission_classes = [MaySendCommand]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Not in a transaction of the host's (`ATOMIC_REQUESTS`): a command has its own, and what
        it asks other systems has to be outside of any."""
        view = super().as_view(**initkwargs)
        return transaction.non_atomic_requests(using=events_settings().database)(view)

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        with suppress(UnknownCommandType):
            self.name = self.command_class.command_type
            self.description = describe(self.command_class)
            if serializer_class(self.command_class).is_flat():
                self.parser_classes = [StrictJSONParser, MultiPartParser]

    @property
    def command_class(self) -> type[Command]:
        return get_command_class(self.kwargs["slug"])

    def get_serializer(self, *args: Any, **kwargs: Any) -> DataclassSerializer:
        return serializer_class(self.command_class)(*args, **kwargs)

    def get(self, request: Request, slug: str) -> Response:
        url = request.build_absolute_uri(request.path)
        return Response(command_to_json(self.command_class, url))

    def post(self, request: Request, slug: str) -> Response:
        refuse_forgeable(request)
        command_id = idempotency_key(request.headers)
        command = self._validated(request.data)
        with message_context(user_id=str(request.user.pk)):
            result = _dispatch(command, command_id, as_sent(request.data))
        headers = {REPLAYED_HEADER: "true"} if result.replayed else {}
        return Response(result_to_json(result), headers=headers)

    def _validated(self, data: Any) -> Command:
        if not isinstance(data, dict):
            raise InvalidInput("", "expected a JSON object with the fields of the command")
        serializer = self.get_serializer(data=data)
        serializer.is_valid(raise_exception=True)
        command: Command = serializer.validated_data
        return command


class StreamEventsView(EventsAPIView):
    name = "Events of a stream"
    description = "In their order, `limit` at a time, from `from_version` on."

    def get(self, request: Request, stream: str) -> HttpResponseBase:
        name, page, store = _stream_name(stream), read_query(PageQuery, request), event_store()
        # Before the events, so that they are never older than what the ETag stands for.
        version = store.stream_version(name)
        if version < 0:
            raise AggregateNotFound(name)
        headers = {"ETag": f'W/"{version}"', "Cache-Control": "private, no-cache"}
        if _is_known(headers["ETag"], request):
            return HttpResponseNotModified(headers=headers)
        events = store.read_stream(
            name, from_version=page.from_version, to_version=version, limit=page.limit
        )
        body = stream_page_to_json(request, name, version, list(events))
        return Response(body, headers=headers)


class EventView(EventsAPIView):
    name = "Event"

    def get(self, request: Request, event_id: str) -> Response:
        return Response(recorded_event_to_json(event_store().get_event(_uuid(event_id))))


def _dispatch(command: Command, command_id: UUID | None, sent: JsonObject) -> CommandResult:
    try:
        return command_bus.dispatch(command, command_id=command_id, sent=sent)
    except EncodingError as error:
        sent_as = error.field.removeprefix(f"{command.command_type}.")
        raise InvalidInput(sent_as, error.reason) from error


def _is_known(etag: str, request: Request) -> bool:
    # Not for DRF's page: it also shows who is logged in.
    is_json = isinstance(request.accepted_renderer, JSONRenderer)
    return is_json and etag in parse_etags(request.headers.get("If-None-Match", ""))


def _stream_name(text: str) -> StreamName:
    try:
        return StreamName.parse(text)
    except InvalidInput as error:
        raise InvalidInput("stream", str(error)) from error


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidInput("event_id", f"{text!r} isn't a UUID") from error
