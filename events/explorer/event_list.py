"""The list of events: what narrows it down, in words and as links that take each away again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Event
from ..personal import personal_names
from . import search
from .conditions import Condition, Conditions, SearchError, combine
from .disclosure import may_reveal, types_that_hide
from .index_range import IndexRange, Window
from .json_fields import JsonField, is_indexed
from .keyset import KeysetChangeList
from .moments import first_position_since, first_sequence_number_since
from .paging import AFTER, BEFORE, SCAN_LIMIT

#: Offered beside the search box.
AGES = (
    ("1h", gettext_lazy("last hour")),
    ("24h", gettext_lazy("last 24 hours")),
    ("7d", gettext_lazy("last 7 days")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A condition, and the address of the list without it."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    label: Any
    url: str
    is_chosen: bool


class EventChangeList(KeysetChangeList):
    """`terms` are those of the search; empty where it can't be read."""

    scan_limit = SCAN_LIMIT

    def get_results(self, request: HttpRequest) -> None:
        self.terms = _terms(self.query)
        super().get_results(request)

    @property
    def chips(self) -> list[Chip]:
        filters = [
            Chip(text=f"{name}: {', '.join(values)}", url=self.get_query_string({name: None}))
            for name, values in self.get_filters_params().items()
        ]
        terms = [
            Chip(text=f"{name}: {value}" if name else value, url=self._url({name: None}))
            for name, value in self.terms.items()
        ]
        return [*terms, *filters] if len(terms) + len(filters) > 1 else []

    @property
    def ages(self) -> list[Choice]:
        return [
            Choice(
                label=label,
                url=self._url({"since": None if self.terms.get("since") == age else age}),
                is_chosen=self.terms.get("since") == age,
            )
            for age, label in AGES
        ]

    @property
    def widened(self) -> Choice | None:
        """Where the window is the reason that nothing was found, perhaps."""
        age = self.terms.get("since")
        if age is None:
            return None
        known = [name for name, _label in AGES]
        wider = known[known.index(age) + 1 :] if age in known else []
        if wider:
            label = dict(AGES)[wider[0]]
            return Choice(label=label, url=self._url({"since": wider[0]}), is_chosen=False)
        return Choice(label=_("all times"), url=self._url({"since": None}), is_chosen=False)

    @property
    def list_query(self) -> str:
        """What makes this list, without the place in it."""
        return self.get_query_string({}, [AFTER, BEFORE]).removeprefix("?")

    @property
    def is_at_top(self) -> bool:
        return self.page.is_first and not self.search_problem

    def _url(self, changes: dict[str, str | None]) -> str:
        terms = {**self.terms, **changes}
        kept = {name: value for name, value in terms.items() if value is not None}
        return self.get_query_string({SEARCH_VAR: search.to_text(kept) or None})

    def get_query_string(
        self, new_params: dict[str, Any] | None = None, remove: Iterable[str] | None = None
    ) -> str:
        # The place in the list is that of other conditions.
        return super().get_query_string(new_params, [*(remove or ()), AFTER, BEFORE])


def _terms(query: str) -> dict[str, str]:
    try:
        return search.parse(query)
    except SearchError:
        return {}


def event_conditions(request: HttpRequest, term: str) -> list[Condition]:
    """Raises SearchError: for what can't be read and, since who can ask for a value can find out
    what it is, for personal fields that this user may not see."""
    terms = search.parse(term)
    if may_reveal(request):
        return search.conditions(terms)
    fields = search.json_fields(terms)
    for name, field in fields.items():
        if personal_names() & set(field.path):
            raise SearchError(
                _("%(name)s is personal: to search for it you would need the permission to see it.")
                % {"name": name}
            )
    return [*search.conditions(terms), *map(_in_open_types, fields.values())]


def _in_open_types(field: JsonField) -> Condition:
    """Only in data of types that don't hide the field."""
    name = f"{field.alias}_open"
    is_open = ~Q(event_type__in=types_that_hide(field))
    return Condition(
        values={name: True},
        annotations={name: ExpressionWrapper(is_open, output_field=BooleanField())},
        unserved="" if is_indexed(field) else str(field),
    )


def event_range(conditions: Conditions, ordering: list[str]) -> IndexRange:
    served, times = conditions.served, conditions.times
    values = served.values if served else {}
    used = list(served.ordering or ordering) if served else ordering
    of_stream = [values["aggregate_type"], values["aggregate_id"]] if used != ordering else []

    def place(moment: Any) -> int:
        if of_stream:
            return first_sequence_number_since(moment, *of_stream)
        return first_position_since(moment)

    window = Window(
        first=place(times.since) if times.since else None,
        last=place(times.until) - 1 if times.until else None,
    )
    return IndexRange(used, values, window)


def range_of_query(request: HttpRequest, query: str) -> tuple[Conditions, IndexRange]:
    """As the list with this query string has it, for what reads it outside of the list. Raises
    SearchError."""
    parameters = QueryDict(query)
    conditions = event_conditions(request, parameters.get(SEARCH_VAR, ""))
    filters = {"type": "event_type", "category": "aggregate_type"}
    conditions += [
        Condition(values={column: parameters[name]})
        for name, column in filters.items()
        if parameters.get(name)
    ]
    combined = combine(conditions)
    return combined, event_range(combined, [f"-{Event._meta.pk.name}"])
