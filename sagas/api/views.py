"""Parse, ask, report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from events.api.base import EventsAPIView
from events.api.permissions import MayView, may_view
from events.api.query_strings import read_query
from events.codec import JsonObject
from events.exceptions import InvalidInput
from events.explorer.index_range import Cursor
from events.explorer.paging import Page, read_page
from events.limits import Limits
from events.models import Event

from ..explorer.details import find_plan, find_saga
from ..explorer.queries import instances, range_of
from ..models import SagaInstance
from ..progress import step_views
from ..representations import instance_to_json, step_to_json
from ..state import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaQuery:
    status: Status | None = None
    type: str | None = None
    #: Id of the saga that the page follows.
    after: str | None = None
    limit: Annotated[int, Limits(min_value=1, max_value=1000)] = 100


class MayViewSagas(MayView):
    model = SagaInstance


class SagaListView(EventsAPIView):
    name = "Sagas"
    description = "The newest first, `limit` at a time, after the saga `after`."
    permission_classes = [MayViewSagas]

    def get(self, request: Request) -> Response:
        query = read_query(SagaQuery, request)
        index_range, further = range_of(status=query.status, saga_type=query.type)
        page = read_page(instances(), index_range, _cursor(query.after), query.limit, further)
        return Response(
            {
                "sagas": [
                    {**instance_to_json(row), "url": _url(request, row)} for row in page.rows
                ],
                "next": _next_url(request, page),
            }
        )


class SagaView(EventsAPIView):
    name = "Saga"
    description = "Where it stands. The typed state is for those who may view events."
    permission_classes = [MayViewSagas]

    def get(self, request: Request, saga_id: str) -> Response:
        row = _find(saga_id)
        if row is None:
            raise Http404(f"There is no saga {saga_id}.")
        return Response({**instance_to_json(row), **_stream_to_json(request, row)})


def _stream_to_json(request: Request, row: SagaInstance) -> JsonObject:
    saga, problem = find_saga(row.saga_id)
    if saga is None or saga.state is None:
        return {"steps": [], "problem": problem}
    plan, why_not = find_plan(saga)
    body: JsonObject = {
        "version": saga.version,
        "steps": [step_to_json(view) for view in step_views(plan, saga.state)],
        "pivot_passed": saga.state.pivot_passed,
        "blocked_by": saga.state.blocked_by,
        "problem": why_not,
    }
    return {**body, "state": saga.state.data} if may_view(request, Event) else body


def _find(saga_id: str) -> SagaInstance | None:
    return None if "\0" in saga_id else instances().filter(pk=saga_id).first()


def _cursor(after: str | None) -> Cursor:
    if after is None:
        return Cursor()
    row = _find(after)
    if row is None:
        raise InvalidInput("after", f"there is no saga {after!r}")
    return Cursor(key=(row.started_at, row.saga_id))


def _next_url(request: Request, page: Page[Any]) -> str | None:
    if page.next is None:
        return None
    return replace_query_param(request.build_absolute_uri(), "after", page.next[-1])


def _url(request: Request, row: SagaInstance) -> str:
    return f"{request.build_absolute_uri(request.path)}/{row.saga_id}"
