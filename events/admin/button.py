"""A button on the pages of a host's own models, to the stream behind an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template, select_template

from ..exceptions import InvalidInput
from ..explorer.details import visible_url
from ..explorer.links import events_url
from ..explorer.permissions import may_view
from ..explorer.queries import find_stream
from ..models import AggregateVersion, Event
from ..streams import StreamName

if TYPE_CHECKING:
    _ModelAdmin: TypeAlias = admin.ModelAdmin[Any]
else:
    _ModelAdmin = object


class EventsButton(_ModelAdmin):
    """`class OrderAdmin(EventsButton, admin.ModelAdmin)`: the stream is named by the model and the
    primary key, unless `events_category` or `events_stream` says otherwise.

    Whatever template the page has stays as it is, with one more item in its object tools. There is
    no button for users who may not see events, and none where the object has none.
    """

    events_category: str | None = None

    def events_stream(self, row: Any) -> StreamName:
        return StreamName(self.events_category or type(row).__name__, str(row.pk))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        response = super().render_change_form(request, context, add, change, form_url, obj)
        url = self._events_url(request, obj) if obj is not None else None
        names = getattr(response, "template_name", None)
        if url and names:
            found = get_template(names) if isinstance(names, str) else select_template(names)
            response.context_data |= {  # type: ignore[attr-defined]
                "events_url": url,
                "template_of_the_host": found.template,  # type: ignore[union-attr]
            }
            response.template_name = "events/explorer/with_button.html"  # type: ignore[attr-defined]
        return response

    def _events_url(self, request: HttpRequest, row: Any) -> str | None:
        if not may_view(self.admin_site, request, Event):
            return None
        try:
            name = self.events_stream(row)
        except InvalidInput:
            return None
        wanted = AggregateVersion(
            aggregate_type=name.aggregate_type, aggregate_id=name.aggregate_id
        )
        stream = find_stream(wanted)
        if stream is None:
            return None
        url = visible_url(self.admin_site, request, stream)
        return url or events_url(self.admin_site, stream=str(name))
