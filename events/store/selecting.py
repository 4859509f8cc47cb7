"""An `EventQuery` as one statement for PostgreSQL. No locks.

Equality would be the obvious condition: `event_type = 'A' ORDER BY position LIMIT 100`. But for a
type that was frequent once and is rare now, PostgreSQL walks the index of positions, trusting to
meet a hundred soon, and reads years of other events. So a type, a category, a correlation or a
cause is a range of the index that begins with it: `(event_type, position) >= ('A', 1) AND
event_type <= 'A' ORDER BY event_type, position`. That order leaves it one index only, as long as it
doesn't know that the range holds a single type. Nor may it know which one: of a type that the
statistics don't know yet, it would read all that there is, to sort what it takes for a few rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

from ..bus.patterns import Criterion
from .prepared import bigint
from .reading import EventQuery, Order
from .rows import COLUMNS

#: Text and named parameters. The text depends on which conditions a query has, and on nothing else:
#: there are few, and each stays prepared.
Statement: TypeAlias = tuple[str, dict[str, Any]]

MAX_BIGINT = 2**63 - 1
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")

# As text: drivers would decode it each in its own way.
_SELECTED = [f"{name}::text" if name in ("event_data", "metadata") else name for name in COLUMNS]
_SELECT = f"SELECT {', '.join(_SELECTED)} FROM events"
_CONDITIONS = {
    "correlation_id": "correlation_id = %(correlation_id)s",
    "causation_id": "causation_id = %(causation_id)s",
    "event_types": "event_type = ANY(%(event_types)s)",
    "aggregate_type": "aggregate_type = %(aggregate_type)s",
    "aggregate_id": "aggregate_id = %(aggregate_id)s",
    "event_ids": "event_id = ANY(%(event_ids)s)",
}
# Those with an index on (column, position), the most selective first.
_RANGES = {
    "correlation_id": "correlation_id",
    "causation_id": "causation_id",
    "event_types": "event_type",
    "aggregate_type": "aggregate_type",
}
_FILTERS = _CONDITIONS | {"aggregate_type": "aggregate_type = (SELECT %(aggregate_type)s::text)"}

# Each value is read by itself, no further than the limit. A comparison of rows ends a scan by its
# first column only, so the bound at the far end is checked behind the limit. That positions are
# read first, and rows by them, costs a quarter more, but makes an index that holds all of the
# answer by far the cheapest; the one of streams, which begins with the category too, would
# otherwise be read whole and sorted where there are many categories.
_IN_RANGES = """
    {select} WHERE position = ANY(ARRAY(
        SELECT found.position
        FROM unnest(%(values)s::text[]) AS wanted (value)
        CROSS JOIN LATERAL (
            SELECT position FROM events
            WHERE {conditions}
            ORDER BY {column} {direction}, position {direction} LIMIT %(limit)s
        ) AS found
        WHERE found.position BETWEEN %(first)s AND %(last)s
        ORDER BY found.position {direction} LIMIT %(limit)s
    )) ORDER BY position {direction}
"""


# One text for any number of them. Whoever asks bounds the positions that are looked through.
_CRITERIA = """(
    aggregate_type = ANY(%(categories)s) OR event_type = ANY(%(types)s)
    OR (aggregate_type, event_type) IN (
        SELECT * FROM unnest(%(categories_of_pairs)s::text[], %(types_of_pairs)s::text[])
    )
)"""
_LANE = "events_lane_of(aggregate_type, aggregate_id, %(lanes)s) = %(lane)s"


def select_statement(query: EventQuery, limit: int) -> Statement:
    given = {
        # Psycopg adapts a list to an array, a tuple to a row.
        name: list(dict.fromkeys(value)) if isinstance(value, tuple) else value
        for name in _CONDITIONS
        if (value := getattr(query, name)) is not None
    }
    leading = next((name for name in _RANGES if name in given), None)
    parameters = {
        **given,
        "first": _bound(query.first, -MAX_BIGINT),
        "last": _bound(query.last, MAX_BIGINT),
        "limit": bigint(min(limit, MAX_BIGINT)),
    }
    if leading is None or query.order is not Order.POSITION:
        conditions = [_CONDITIONS[name] for name in given]
        if query.criteria is not None and not any(each.is_everything for each in query.criteria):
            conditions.append(_CRITERIA)
            parameters |= _criteria_parameters(query.criteria)
        if query.lane is not None:
            conditions.append(_LANE)
            parameters["lane"], parameters["lanes"] = query.lane
        return _ordered(query, conditions), parameters
    value = given[leading]
    parameters["values"] = value if isinstance(value, list) else [value]
    filters = [_FILTERS[name] for name in given if name != leading]
    return _in_ranges(query, _RANGES[leading], filters), parameters


def first_of_each(queries: Sequence[EventQuery]) -> Statement:
    """The columns of an event, and which query it is of, by its index."""
    statements: list[str] = []
    parameters: dict[str, Any] = {}
    for index, query in enumerate(queries):
        text, values = select_statement(query, 1)
        renamed = _PLACEHOLDER.sub(rf"%(\g<1>_{index})s", text)
        statements.append(f"(SELECT found.*, {index} FROM ({renamed}) AS found)")
        parameters |= {f"{name}_{index}": value for name, value in values.items()}
    return " UNION ALL ".join(statements), parameters


def _criteria_parameters(criteria: Sequence[Criterion]) -> dict[str, list[str | None]]:
    pairs = [each for each in criteria if each.aggregate_type and each.event_type]
    return {
        "categories": [each.aggregate_type for each in criteria if not each.event_type],
        "types": [each.event_type for each in criteria if not each.aggregate_type],
        "categories_of_pairs": [each.aggregate_type for each in pairs],
        "types_of_pairs": [each.event_type for each in pairs],
    }


def _bound(place: int | None, default: int) -> int:
    return bigint(default if place is None else max(-MAX_BIGINT, min(place, MAX_BIGINT)))


def _direction(query: EventQuery) -> str:
    return "DESC" if query.backwards else "ASC"


def _ordered(query: EventQuery, conditions: list[str]) -> str:
    place = query.order.value
    if query.first is not None:
        conditions.append(f"{place} >= %(first)s")
    if query.last is not None:
        conditions.append(f"{place} <= %(last)s")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"{_SELECT}{where} ORDER BY {place} {_direction(query)} LIMIT %(limit)s"


def _in_ranges(query: EventQuery, column: str, filters: list[str]) -> str:
    lower = f"({column}, position) >= (wanted.value, %(first)s)"
    upper = f"({column}, position) <= (wanted.value, %(last)s)"
    if not filters and query.backwards:
        lower = f"{column} >= wanted.value"
    elif not filters:
        upper = f"{column} <= wanted.value"
    return _IN_RANGES.format(
        select=_SELECT,
        conditions=" AND ".join([lower, upper, *filters]),
        column=column,
        direction=_direction(query),
    )
