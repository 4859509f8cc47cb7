"""Who sees personal data, and for how long: whoever has the permission, of one stream, after they
said why. The operator log keeps that; the session remembers it for some minutes.

Pages ask `disclosure_of(request)` for what they show of an event or a state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from ..aggregates import EventSourcedAggregate
from ..delivery.operator_log import check_reason, write_down
from ..models import Event
from ..personal import (
    hide_in_event,
    hide_in_state,
    hide_in_text,
    hide_names,
    personal_names,
)
from ..registry import event_types
from .json_fields import JsonField
from .permissions import has_permission

SESSION_KEY = "events_revealed"
REVEALED_FOR = timedelta(minutes=10)


def may_reveal(request: HttpRequest) -> bool:
    return has_permission(request, Event, "reveal_event")


def reveal(request: HttpRequest, stream: str, reason: str) -> None:
    """The caller has checked the permission. Raises InvalidInput without a reason."""
    check_reason(reason)
    until = timezone.now() + REVEALED_FOR
    write_down(
        "reveal",
        "",
        actor=request.user.get_username(),
        reason=reason,
        details={"stream": stream, "until": until.isoformat()},
    )
    request.session[SESSION_KEY] = {**_valid(request), stream: until.isoformat()}


def conceal(request: HttpRequest, stream: str) -> None:
    """Before the time is over."""
    kept = {name: until for name, until in _valid(request).items() if name != stream}
    request.session[SESSION_KEY] = kept


def _valid(request: HttpRequest) -> Mapping[str, str]:
    now = timezone.now()
    remembered = request.session.get(SESSION_KEY, {})
    return {
        stream: until for stream, until in remembered.items() if datetime.fromisoformat(until) > now
    }


def types_that_hide(field: JsonField) -> list[str]:
    """Event types in whose data nobody sees this field without leave: also one that a class with
    personal fields doesn't have any more. Whoever could search there would find out what it is."""
    if field.column != "event_data":
        return []
    data: Any = ""
    for name in reversed(field.path):
        data = {name: data}
    return [cls.event_type for cls in event_types if hide_in_event(cls.event_type, data) != data]


@dataclass(slots=True)
class Disclosure:
    """What one page shows to one user. It knows afterwards of which streams something was hidden
    or revealed, for the notice that says so."""

    revealed: Mapping[str, str]
    may_reveal: bool
    hidden_in: list[str] = field(default_factory=list)
    revealed_in: list[str] = field(default_factory=list)

    def data(self, stream: str, event_type: str, data: Any) -> Any:
        """Of an event, stored or current."""
        return self._shown(stream, data, hide_in_event(event_type, data))

    def state(
        self,
        stream: str,
        aggregate_class: type[EventSourcedAggregate] | None,
        state: Any,
        personal: frozenset[str] = frozenset(),
    ) -> Any:
        """`personal` are the values of the events behind it."""
        return self._shown(stream, state, hide_in_state(aggregate_class, state, personal))

    def names(self, stream: str, value: Any) -> Any:
        """Of what no class describes: metadata, details, the data of a saga."""
        return self._shown(stream, value, hide_names(value, personal_names()))

    def text(self, stream: str, text: str, personal: frozenset[str]) -> str:
        """Of a message or a traceback."""
        shown = self._shown(stream, text, hide_in_text(text, personal))
        assert isinstance(shown, str), "a text stays one"
        return shown

    def _shown(self, stream: str, value: Any, hidden: Any) -> Any:
        if value == hidden:
            return value
        seen = self.revealed_in if stream in self.revealed else self.hidden_in
        if stream not in seen:
            seen.append(stream)
        return value if stream in self.revealed else hidden


def disclosure_of(request: HttpRequest) -> Disclosure:
    """The same one for all parts of a page. Whoever has lost the permission sees nothing any more,
    whatever the session says."""
    known: Disclosure | None = getattr(request, "_events_disclosure", None)
    if known is None:
        allowed = may_reveal(request)
        known = Disclosure(revealed=_valid(request) if allowed else {}, may_reveal=allowed)
        request._events_disclosure = known  # type: ignore[attr-defined]
    return known
