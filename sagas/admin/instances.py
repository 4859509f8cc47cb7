"""The list of sagas, and the page of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from events.admin.operated import OperationsAdmin
from events.admin.operating import OperationLink
from events.explorer.conditions import Condition, Conditions
from events.explorer.index_range import IndexRange
from events.explorer.keyset import KeysetChangeList
from events.explorer.links import object_url
from events.explorer.navigation import Entry, add_entry
from events.explorer.operator_details import add_subject_link
from events.explorer.presentation import badge, moment, moment_column

from ..explorer.details import TONES, find_saga, saga_details
from ..explorer.filters import StatusFilter, StuckFilter, TypeFilter
from ..explorer.queries import ids_named
from ..explorer.stuck import ORDERING, Stuck, StuckRange
from ..instance import Saga
from ..models import SagaInstance
from ..state import Status
from .actions import OF_SAGAS, OF_STEPS
from .operating import SagaOperation


class SagaChangeList(KeysetChangeList):
    def _conditions(self, request: HttpRequest) -> list[Condition]:
        # Only a range of its own can serve it; the values of all others can be compared besides.
        return sorted(
            super()._conditions(request), key=lambda condition: not isinstance(condition, Stuck)
        )


@admin.register(SagaInstance)
class SagaAdmin(OperationsAdmin):
    change_form_template = "sagas/saga.html"
    operations = (*OF_STEPS, *OF_SAGAS)
    ordering = ORDERING
    list_display = (
        "saga_id",
        "state",
        "saga_type",
        "key",
        "steps_under_way",
        "open_steps",
        "started",
        "updated",
        "ended",
    )
    list_filter = (StatusFilter, TypeFilter, StuckFilter)
    fields = ("saga_type",)  # the page is a template of its own
    search_fields = ("saga_id",)  # shows the box; get_conditions says what it searches
    search_help_text = _("A saga id, a key, or a correlation id. Exact.")

    started = moment_column("started_at", _("started"))
    updated = moment_column("updated_at", _("updated"))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return SagaChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found = ids_named(search_term.strip()) if search_term.strip() else []
        return (queryset.filter(pk__in=found) if found else queryset), False

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        word = term.strip()
        if not word or ids_named(word):
            return []
        return [Condition(values={"correlation_id": word})]

    def index_range(self, conditions: Conditions) -> IndexRange:
        if isinstance(conditions.served, Stuck):
            return StuckRange(conditions.served.quiet_since)
        return super().index_range(conditions)

    def details(self, site: AdminSite, request: HttpRequest, row: SagaInstance) -> dict[str, Any]:
        saga, problem = find_saga(row.saga_id)
        context = saga_details(site, request, row, saga)
        for step in context.get("steps", ()):
            step["operations"] = self._links(request, saga, OF_STEPS, step["view"].name)
        return {
            **context,
            "problem": problem,
            "operations": self._links(request, saga, OF_SAGAS),
        }

    def _links(
        self,
        request: HttpRequest,
        saga: Saga | None,
        operations: Sequence[SagaOperation],
        step: str | None = None,
    ) -> list[OperationLink]:
        """What this user may do; of the saga as a whole also what it doesn't allow, with why."""
        if saga is None or saga.state is None:
            return []
        name, more = request.user.get_username(), {"step": step} if step else {}
        found = [
            OperationLink(
                operation.label,
                operation.url(self, [saga.id], **more),
                operation.refusal(saga, step, name),
            )
            for operation in operations
            if operation.is_permitted(self, request)
        ]
        return [link for link in found if not (step and link.why_not)]

    @admin.display(description=_("status"))
    def state(self, row: SagaInstance) -> SafeString:
        return badge(row.get_status_display(), TONES[Status(row.status)])

    @admin.display(description=_("under way"))
    def steps_under_way(self, row: SagaInstance) -> str:
        return ", ".join(row.under_way) or "-"

    @admin.display(description=_("open items"))
    def open_steps(self, row: SagaInstance) -> str:
        return ", ".join(row.open_items) or "-"

    @admin.display(description=_("ended"))
    def ended(self, row: SagaInstance) -> str:
        return moment(row.ended_at) if row.ended_at else "-"


add_entry(Entry(label=_("Sagas"), rank=200, model=SagaInstance))
add_subject_link("saga_", lambda site, saga_id: object_url(site, SagaInstance, saga_id))
