"""What the page of a state shows: the aggregate at a version or a time, what differs from another
version, and the first version at which a condition holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.timezone import get_current_timezone, is_naive, make_aware
from django.utils.translation import gettext as _

from ..aggregates import EventSourcedAggregate
from ..models import AggregateVersion, Event
from ..streams import StreamName
from . import queries
from .aggregate_classes import find_aggregate_class
from .bisect import OPERATORS, Condition, ConditionError, first_version
from .differences import shown_differences
from .disclosure import Disclosure, disclosure_of
from .links import object_url, state_url
from .permissions import may_view
from .states import MAX_STEPS_ON_REQUEST, History, TooManySteps

#: Links of the bar that leads through the versions.
MAX_STOPS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address asks for. `against` is the version to compare with."""

    version: int
    against: int
    problem: str = ""


def state_details(site: AdminSite, request: HttpRequest, key: int) -> dict[str, Any]:
    if not may_view(site, request, Event):
        raise PermissionDenied
    stream = queries.in_log_database(AggregateVersion.objects.filter(pk=key)).first()
    if stream is None:
        raise Http404(_("There is no such stream."))
    asked = _asked(request, stream)
    context = {
        "title": _("State at version %(version)d") % {"version": asked.version},
        "subtitle": str(stream),
        "crumbs": [(str(stream), object_url(site, AggregateVersion, stream.pk))],
        "asked": asked,
        "last_version": stream.version,
        "time": request.GET.get("time", ""),
        **_ways(site, stream, asked),
    }
    cls = find_aggregate_class(stream.aggregate_type)
    if cls is None:
        why_not = _("No class of this process has the category %(name)s.")
        return {**context, "why_not": why_not % {"name": stream.aggregate_type}}
    return {**context, **_states(request, stream, cls, asked)}


# --- what is asked for ---


def _asked(request: HttpRequest, stream: AggregateVersion) -> Asked:
    parameters, problem = request.GET, ""
    version = _number(parameters.get("version"), stream.version)
    if parameters.get("time") and not parameters.get("version"):
        try:
            version = _version_at(stream, parameters["time"])
        except ValueError as error:
            problem = str(error)
    version = max(-1, min(version, stream.version))
    against = max(-1, min(_number(parameters.get("against"), version - 1), stream.version))
    return Asked(version=version, against=against, problem=problem)


def _number(text: str | None, default: int) -> int:
    try:
        return int(text) if text and len(text) < 19 else default
    except ValueError:
        return default


def _version_at(stream: AggregateVersion, text: str) -> int:
    """As `Repository.load_at_time`: before the first event that occurred later. Raises
    ValueError."""
    try:
        moment = parse_datetime(text.strip())
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError(_("“%(text)s” isn't a time like 2026-03-01 12:00.") % {"text": text})
    if is_naive(moment):
        moment = make_aware(moment, get_current_timezone())
    if stream.version >= MAX_STEPS_ON_REQUEST:
        raise ValueError(_("The stream is too long to look for a time: give a version."))
    later = queries.events_of_stream(stream).filter(occurred_on__gt=moment)
    first = later.order_by("sequence_number").values_list("sequence_number", flat=True).first()
    return stream.version if first is None else first - 1


# --- what is shown ---


def _states(
    request: HttpRequest,
    stream: AggregateVersion,
    cls: type[EventSourcedAggregate],
    asked: Asked,
) -> dict[str, Any]:
    name = StreamName(stream.aggregate_type, stream.aggregate_id)
    on_request = request.GET.get("long") == "1"
    history = History(cls, name, *([MAX_STEPS_ON_REQUEST] if on_request else []))
    disclosure = disclosure_of(request)
    try:
        state, problem = history.state_at(asked.version)
        other, _other_problem = history.state_at(asked.against)
        shown = [
            disclosure.state(str(name), cls, each, history.personal) for each in (other, state)
        ]
        return {
            "state": shown[1],
            "changes": shown_differences(other, state, *shown),
            "problem": problem,
            "problem_text": (
                disclosure.text(str(name), problem.message, history.personal) if problem else ""
            ),
            "traceback": (
                disclosure.text(str(name), problem.traceback, history.personal) if problem else ""
            ),
            **_search(request, disclosure, stream, history),
        }
    except TooManySteps as error:
        return {"too_many": error, "long_query": _with(request, long="1")}


def _search(
    request: HttpRequest, disclosure: Disclosure, stream: AggregateVersion, history: History
) -> dict[str, Any]:
    """For the first version at which a condition holds."""
    given = {name: request.GET.get(name, "") for name in ("field", "operator", "value")}
    context: dict[str, Any] = {"search": given, "operators": OPERATORS}
    if not given["field"]:
        return context
    try:
        condition = Condition.parse(**given)
    except ConditionError as error:
        return {**context, "search_problem": str(error)}

    def shown(state: Any) -> Any:
        # A search among hidden values would tell what they are.
        return disclosure.state(
            str(history.stream), history.aggregate_class, state, history.personal
        )

    found = first_version(history, condition, stream.version, shown)
    return {**context, "found": found, "has_searched": True}


def _ways(site: AdminSite, stream: AggregateVersion, asked: Asked) -> dict[str, Any]:
    """Links to other versions."""

    def url(version: int) -> str | None:
        is_there = -1 <= version <= stream.version
        return state_url(site, stream.pk, version=version) if is_there else None

    step = max(1, -(-(stream.version + 2) // MAX_STOPS))
    stops = sorted({*range(-1, stream.version + 1, step), stream.version, asked.version})
    event = queries.events_of_stream(stream).filter(sequence_number=asked.version).first()
    return {
        "previous_url": url(asked.version - 1),
        "next_url": url(asked.version + 1),
        "stops": [(version, url(version), version == asked.version) for version in stops],
        "event": event,
        "event_url": object_url(site, Event, event.position) if event else None,
    }


def _with(request: HttpRequest, **parameters: str) -> str:
    query = request.GET.copy()
    for name, value in parameters.items():
        query[name] = value
    return f"?{query.urlencode()}"
