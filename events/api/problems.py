"""From an exception to an answer: the one place that knows HTTP's status codes (RFC 9457).

Every problem has type, title, status, detail, instance and, where there is one, correlation_id.
Validation adds `errors`, a list of {field, detail, code} with paths such as `items[2].price`;
conflicts add stream, expected and actual; refusals add code and details.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from http import HTTPStatus
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.utils.encoding import escape_uri_path
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.utils.serializer_helpers import ReturnDict

from ..codec import JsonObject
from ..context import current_context
from ..exceptions import (
    AggregateNotFound,
    CommandIdReused,
    CommandRefused,
    ConcurrencyError,
    EventNotFound,
    HandlerNotRegistered,
    InvalidInput,
    StaleVersion,
    Unavailable,
    UnknownCommandType,
    join_path,
)
from .fields import MAX_ERRORS
from .idempotency import HEADER, REPLAYED_HEADER
from .renderers import JSONRenderer, ProblemRenderer

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`type` is None where the status says it all; such a problem has the status as its title."""

    status: int
    detail: str
    type: str | None = None
    title: str | None = None
    members: JsonObject = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    #: DRF's page shows its values and errors in the form.
    serializer: Any = None

    def to_json(self) -> JsonObject:
        return {
            "type": f"urn:problem-type:edda:{self.type}" if self.type else "about:blank",
            "title": self.title or HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's `EXCEPTION_HANDLER` for the views of this app; None lets the error pass.

    Doesn't roll back a transaction around the request, as DRF's own does: the command bus has
    undone what a command did, and what it has recorded of a refusal must stay.
    """
    problem = find_problem(error)
    if problem is None:
        return None
    request = context["request"]
    body = {**problem.to_json(), "instance": escape_uri_path(request.path)}
    if correlation_id := current_context().correlation_id:
        body["correlation_id"] = correlation_id
    if isinstance(getattr(request, "accepted_renderer", None), JSONRenderer | None):
        request.accepted_renderer = ProblemRenderer()
        request.accepted_media_type = ProblemRenderer.media_type
    if problem.serializer is not None:
        body = ReturnDict(body, serializer=problem.serializer)
    return Response(body, status=problem.status, headers=problem.headers)


@singledispatch
def find_problem(error: Exception) -> Problem | None:
    """None where it isn't the sender's: Django answers then, and tells the operators."""
    return None


@find_problem.register
def _(error: InvalidInput) -> Problem:
    return _invalid([{"field": error.field, "detail": error.reason, "code": "invalid"}])


@find_problem.register
def _(error: exceptions.ValidationError) -> Problem:
    errors = list(islice(_field_errors(error.detail), MAX_ERRORS))
    return _invalid(errors, serializer=getattr(error.detail, "serializer", None))


@find_problem.register
def _(error: ConcurrencyError) -> Problem:
    return _conflict(
        error, "concurrent-change", "Others changed the stream at the same time; try again"
    )


@find_problem.register
def _(error: StaleVersion) -> Problem:
    return _conflict(error, "stale-version", "The stream is not at the version that was named")


@find_problem.register
def _(error: CommandRefused) -> Problem:
    return Problem(
        status=422,
        type="command-refused",
        title="A rule refuses this command",
        detail=error.message,
        members={"code": error.code, "details": dict(error.details)},
        headers={REPLAYED_HEADER: "true"} if error.replayed else {},
    )


@find_problem.register
def _(error: CommandIdReused) -> Problem:
    return Problem(
        status=422,
        type="idempotency-key-reused",
        title=f"{HEADER} is already used",
        detail=f"{error} Send {HEADER} again only with the same command.",
    )


@find_problem.register(AggregateNotFound)
@find_problem.register(EventNotFound)
@find_problem.register(UnknownCommandType)
def _(error: Exception) -> Problem:
    return Problem(status=404, detail=str(error))


@find_problem.register
def _(error: HandlerNotRegistered) -> Problem:
    logger.error("%s", error, exc_info=error)
    return Problem(status=500, detail=f"Nothing here can handle {error.command_type}.")


@find_problem.register
def _(error: Unavailable) -> Problem:
    logger.warning("%s", error, exc_info=error)
    return Problem(status=503, detail=f"{error} Send the same again later.")


@find_problem.register
def _(error: RequestDataTooBig) -> Problem:
    return Problem(status=413, detail="The body is larger than this server takes.")


@find_problem.register
def _(error: Http404) -> Problem:
    return Problem(status=404, detail=str(error) or "Not found.")


@find_problem.register
def _(error: PermissionDenied) -> Problem:
    return Problem(status=403, detail=str(error) or "You may not do this.")


@find_problem.register
def _(error: exceptions.APIException) -> Problem:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = f"{wait:.0f}"
    return Problem(status=error.status_code, detail=str(error.detail), headers=headers)


def _invalid(errors: list[JsonObject], serializer: Any = None) -> Problem:
    return Problem(
        status=400,
        type="invalid",
        title="Some of the input can't be accepted",
        detail=" ".join(_sentence(error) for error in errors[:3]),
        members={"errors": errors},
        serializer=serializer,
    )


def _sentence(error: JsonObject) -> str:
    text = f"{error['field']}: {error['detail']}" if error["field"] else error["detail"]
    return text if text.endswith(".") else f"{text}."


def _field_errors(detail: Any, path: str = "") -> Iterator[JsonObject]:
    """DRF nests errors as the input is nested."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            yield from _field_errors(inner, join_path(path, _step(key)))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _field_errors(inner, path)
    else:
        yield {"field": path, "detail": str(detail), "code": getattr(detail, "code", "invalid")}


def _step(key: str | int) -> str:
    return f"[{key}]" if isinstance(key, int) else key


def _conflict(error: ConcurrencyError, type: str, title: str) -> Problem:
    return Problem(
        status=409,
        type=type,
        title=title,
        detail=str(error),
        members={
            "stream": str(error.stream),
            "expected": error.expected,
            "actual": error.actual,
        },
    )
