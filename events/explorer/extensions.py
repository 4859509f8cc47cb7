"""What hosts add to the explorer's pages by registration: links, panels, columns and pages.

    @explorer.event_link
    def order_in_shop(request, recorded):
        if recorded.aggregate_type == "Order":
            return Link(_("Order"), f"/admin/shop/order/{recorded.aggregate_id}/change/")

Register in the module `admin` of an app. A function gets the request and what the page is about,
a `RecordedEvent`, a `StreamName` or a `Conversation`; it decides what this user may see, and
returns None where it has nothing to add. What it raises doesn't take the page with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, TypeVar

from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..recorded_event import RecordedEvent
from ..streams import StreamName

logger = logging.getLogger(__name__)


class Link(NamedTuple):
    label: Any
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A section of a page. `body` is text, or markup given as SafeString."""

    title: Any
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Of the list of events."""

    name: str
    title: Any
    value: Callable[[RecordedEvent], Any]


class Conversation(NamedTuple):
    """All events with one correlation id."""

    correlation_id: str


Subject: TypeAlias = RecordedEvent | StreamName | Conversation
LinkFunction: TypeAlias = Callable[[HttpRequest, Any], Link | None]
PanelFunction: TypeAlias = Callable[[HttpRequest, Any], Panel | None]
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


_KINDS: dict[type, str] = {
    RecordedEvent: "event",
    StreamName: "stream",
    Conversation: "conversation",
}


class Extensions:
    """Of one process. The functions are called in the order of their registration."""

    def __init__(self) -> None:
        self._links: dict[str, dict[str, LinkFunction]] = {kind: {} for kind in _KINDS.values()}
        self._panels: dict[str, dict[str, PanelFunction]] = {kind: {} for kind in _KINDS.values()}
        self.columns: dict[str, Column] = {}

    def event_link(self, function: FunctionT) -> FunctionT:
        """A link on the page of an event."""
        return _registered(self._links["event"], function)

    def stream_link(self, function: FunctionT) -> FunctionT:
        return _registered(self._links["stream"], function)

    def event_panel(self, function: FunctionT) -> FunctionT:
        """A section on the page of an event."""
        return _registered(self._panels["event"], function)

    def stream_panel(self, function: FunctionT) -> FunctionT:
        return _registered(self._panels["stream"], function)

    def conversation_link(self, function: FunctionT) -> FunctionT:
        """A link on the page of a conversation, its trace."""
        return _registered(self._links["conversation"], function)

    def conversation_panel(self, function: FunctionT) -> FunctionT:
        return _registered(self._panels["conversation"], function)

    def event_column(
        self, title: Any
    ) -> Callable[[Callable[[RecordedEvent], Any]], Callable[[RecordedEvent], Any]]:
        """A column of the list of events. What it reads of the data is hidden where it is
        personal; it must not ask the database, or each row of the page does."""

        def register(
            function: Callable[[RecordedEvent], Any],
        ) -> Callable[[RecordedEvent], Any]:
            name = f"extension_{_key(function).replace('.', '_')}"
            self.columns[name] = Column(name=name, title=title, value=function)
            return function

        return register

    def links(self, request: HttpRequest, subject: Subject) -> list[Link]:
        return [
            found
            for function in self._links[_kind(subject)].values()
            if isinstance(found := _called(function, request, subject), Link)
        ]

    def panels(self, request: HttpRequest, subject: Subject) -> Iterator[Panel]:
        for function in self._panels[_kind(subject)].values():
            found = _called(function, request, subject)
            if isinstance(found, Panel):
                yield found
            elif isinstance(found, Exception):
                body = _("It could not be shown: %(error)s") % {"error": type(found).__name__}
                yield Panel(title=_key(function), body=body)


def _kind(subject: Subject) -> str:
    return _KINDS[type(subject)]


def _key(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _registered(functions: dict[str, Any], function: FunctionT) -> FunctionT:
    functions[_key(function)] = function
    return function


def _called(function: Callable[..., Any], request: HttpRequest, subject: Subject) -> Any:
    try:
        return function(request, subject)
    except Exception as error:  # the host's code: the page is shown without it
        logger.exception("The explorer's extension %s failed.", _key(function))
        return error


#: The one that the pages ask.
explorer = Extensions()
