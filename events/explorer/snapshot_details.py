"""What the page of a snapshot shows: the state in it and, if asked, whether a replay agrees."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..models import Snapshot
from ..streams import StreamName
from . import queries
from .aggregate_classes import find_aggregate_class
from .details import visible_url
from .differences import shown_differences
from .disclosure import Disclosure, disclosure_of
from .links import state_url
from .states import MAX_STEPS_ON_REQUEST, History, TooManySteps


def snapshot_details(site: AdminSite, request: HttpRequest, snapshot: Snapshot) -> dict[str, Any]:
    name = StreamName(snapshot.aggregate_type, snapshot.aggregate_id)
    cls = find_aggregate_class(name.aggregate_type)
    history = History(cls, name, MAX_STEPS_ON_REQUEST) if cls else None
    disclosure, row = disclosure_of(request), queries.find_stream(snapshot)
    personal = history.personal if history else frozenset()
    current = cls.snapshot_schema_version if cls else None
    return {
        "title": str(snapshot),
        "subtitle": "",
        "facts": [
            (_("Stream"), name),
            (_("Version"), snapshot.version),
            (_("Schema version"), snapshot.schema_version),
            (_("Schema version of the class"), "-" if current is None else current),
            (_("Events since then"), row.version - snapshot.version if row else "-"),
            (_("Created"), snapshot.created_at),
        ],
        "is_ignored": current is not None and current != snapshot.schema_version,
        "has_class": cls is not None,
        "state": disclosure.state(str(name), cls, snapshot.snapshot_data, personal),
        "stream_url": visible_url(site, request, row),
        "state_url": state_url(site, row.pk, version=snapshot.version) if row else None,
        **(_verified(disclosure, history, snapshot) if "verify" in request.GET else {}),
    }


def _verified(
    disclosure: Disclosure, history: History | None, snapshot: Snapshot
) -> dict[str, Any]:
    """Compared with a replay of all events up to its version, without the snapshot."""
    if history is None:
        return {}
    cls, name = history.aggregate_class, str(history.stream)
    try:
        replayed, problem = history.replayed(snapshot.version)
    except TooManySteps as error:
        return {"not_verified": error}
    stored = snapshot.snapshot_data
    shown = [disclosure.state(name, cls, each, history.personal) for each in (stored, replayed)]
    changes = shown_differences(stored, replayed, *shown)
    return {
        "is_verified": True,
        "matches": not changes and problem is None,
        "changes": changes,
        "problem": disclosure.text(name, problem.message, history.personal) if problem else "",
    }
