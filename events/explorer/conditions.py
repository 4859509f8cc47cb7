"""What a search and the filters ask of the rows of a list, and whether an index serves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Expression
from django.utils.translation import gettext as _


class SearchError(ValueError):
    """It can't be searched for that; the message is for the person who asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Columns, and the values that they must have.

    An index starts with the columns and goes on with the ordering of the list, or with the one that
    is given here; unless `unserved` says what no index serves.
    """

    values: Mapping[str, Any]
    ordering: Sequence[str] | None = None
    #: Of columns that aren't fields of the model.
    annotations: Mapping[str, Expression] = field(default_factory=dict)
    unserved: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times(Condition):
    """Of recording: from `since` on, and before `until`."""

    values: Mapping[str, Any] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """All of them: the one that an index serves, and values that its rows must have besides."""

    served: Condition | None = None
    further: Mapping[str, Any] = field(default_factory=dict)
    annotations: Mapping[str, Expression] = field(default_factory=dict)
    times: Times = field(default_factory=Times)
    #: What rows are looked through for.
    unserved: Sequence[str] = ()


def combine(conditions: Sequence[Condition]) -> Conditions:
    """The first that can be is served. Raises SearchError where no row can meet them all, and where
    all rows of the list would have to be looked through."""
    values: dict[str, Any] = {}
    annotations: dict[str, Expression] = {}
    for condition in conditions:
        annotations |= condition.annotations
        for column, value in condition.values.items():
            if values.setdefault(column, value) != value:
                raise SearchError(_("The search and the filters contradict each other."))
    times = next((each for each in conditions if isinstance(each, Times)), Times())
    unserved = list(dict.fromkeys(each.unserved for each in conditions if each.unserved))
    served = next(
        (each for each in conditions if not each.unserved and not isinstance(each, Times)), None
    )
    if unserved and served is None and times.since is None:
        raise SearchError(
            _(
                "No index serves %(names)s, and the whole log is too much to look through. "
                "Narrow it down: add stream:, correlation:, type: or since:24h. Whoever runs this "
                "site can make an index: manage.py event_indexes add %(name)s."
            )
            % {"names": ", ".join(unserved), "name": unserved[0]}
        )
    for column in served.values if served else ():
        del values[column]
    return Conditions(
        served=served, further=values, annotations=annotations, times=times, unserved=unserved
    )
