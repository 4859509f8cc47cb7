"""A stream, some events at a time: keyset paging by version, without a count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from ..codec import JsonObject
from ..envelope import recorded_event_to_json
from ..limits import Limits
from ..recorded_event import RecordedEvent
from ..streams import StreamName


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """The query string."""

    from_version: Annotated[int, Limits(min_value=0, max_value=2**63 - 1)] = 0
    limit: Annotated[int, Limits(min_value=1, max_value=1000)] = 100


def stream_page_to_json(
    request: Request, stream: StreamName, version: int, events: Sequence[RecordedEvent]
) -> JsonObject:
    """`version` is that of the stream, not of the page."""
    following = events[-1].sequence_number + 1 if events else version + 1
    return {
        "stream": str(stream),
        "version": version,
        "events": [recorded_event_to_json(event) for event in events],
        "next": replace_query_param(request.build_absolute_uri(), "from_version", following)
        if following <= version
        else None,
    }
