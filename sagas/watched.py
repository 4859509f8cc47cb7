"""One choreographed process as the watch knows it: events come in; a row, deadlines and what there
is to say about it come out, all in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from events.conf import events_settings
from events.context import current_context
from events.messages import DomainEvent
from events.recorded_event import RecordedEvent
from events.store.configured import event_store
from events.streams import StreamName

from .clock import database_time
from .events import ProcessCompensated, ProcessCompleted, ProcessStalled, ProcessStepSettled
from .exceptions import ActionNotPossible
from .identity import Direction, saga_type_of
from .models import ProcessDeadline, SagaInstance, WatchedProcess
from .process import OpenLeg, Process, Standing
from .state import Status

STREAM_TYPE = "Process"


@dataclass(frozen=True)
class Watched:
    """Nobody else changes it until the transaction ends: all ways to it begin with `locked`."""

    process: Process
    row: WatchedProcess

    @classmethod
    def locked(cls, process: Process, saga_id: str) -> Watched:
        rows = WatchedProcess.objects.using(events_settings().database)
        row = rows.select_for_update().filter(pk=saga_id).first()
        if row is None:
            rows.get_or_create(saga_id=saga_id)
            row = rows.select_for_update().get(pk=saga_id)
        return cls(process, row)

    @cached_property
    def _using(self) -> str:
        return events_settings().database

    @property
    def saga_id(self) -> str:
        return self.row.saga_id

    @property
    def key(self) -> str:
        return self.saga_id.removeprefix(f"{saga_type_of(self.saga_id)}:")

    @property
    def standing(self) -> Standing:
        return self.process.standing(self.row.seen, self.row.settled)

    def open_leg(self, step: str, direction: Direction) -> OpenLeg | None:
        legs = (leg for leg in self.standing.open_legs if leg.step == step)
        return next((leg for leg in legs if leg.direction == direction), None)

    # --- what comes ---

    def see(self, recorded: Iterable[RecordedEvent]) -> None:
        """In any order, and any number of times."""
        before, seen = self.standing, dict(self.row.seen)
        for each in recorded:
            position = min(seen.get(each.event_type, each.position), each.position)
            seen[each.event_type] = position
        if seen != self.row.seen:
            self.row.seen = seen
            self._changed(before)

    def report(self, step: str, direction: Direction, *, problem: str, advice: str) -> None:
        """An operator is needed, as long as this is under way."""
        before = self.standing
        item = {"problem": problem, "advice": advice}
        self.row.problems = {**self.row.problems, _place(step, direction): item}
        self._changed(before)

    def stall(self, leg: OpenLeg, problem: str) -> None:
        newest = max(self.row.seen, key=self.row.seen.__getitem__)
        self._say(
            ProcessStalled(
                step=leg.step,
                direction=leg.direction,
                awaited=leg.awaits,
                last_event=newest,
                problem=problem,
            )
        )
        advice = f"See why none of {', '.join(leg.awaits)} comes."
        self.report(leg.step, leg.direction, problem=problem, advice=advice)

    def settle(self, step: str, operator: str, evidence: str) -> None:
        before = self.standing
        if self.open_leg(step, Direction.UNDO) is None:
            raise ActionNotPossible(f"{step} of {self.saga_id} is not being undone.")
        self._say(ProcessStepSettled(step=step, operator=operator, evidence=evidence))
        self.row.settled = [*self.row.settled, step]
        self._changed(before)

    # --- what follows ---

    def _changed(self, before: Standing) -> None:
        standing = self.standing
        self.row.save(using=self._using)
        if _places(standing) != _places(before):
            self._keep_deadlines(standing)
        is_early = self.process.starts_on.event_type not in self.row.seen
        if is_early and not self.row.problems:
            return  # the start is on its way
        self._show(standing)
        if standing.status is before.status:
            return
        if standing.status is Status.COMPLETED:
            self._say(ProcessCompleted())
        elif standing.status is Status.COMPENSATED:
            self._say(ProcessCompensated(step=standing.failed_step))

    def _say(self, event: DomainEvent) -> None:
        event_store().append(StreamName(STREAM_TYPE, self.saga_id), [event])

    def _keep_deadlines(self, standing: Standing) -> None:
        rows = ProcessDeadline.objects.using(self._using)
        kept = {
            (row.step, Direction(row.direction)): row for row in rows.filter(saga_id=self.saga_id)
        }
        for leg in standing.open_legs:
            is_known = kept.pop((leg.step, leg.direction), None) is not None
            if not is_known and leg.within_seconds is not None:
                # From now, and not from when it was recorded: workers that were away for long have
                # their time.
                due_at = database_time() + timedelta(seconds=leg.within_seconds)
                rows.create(
                    saga_id=self.saga_id, step=leg.step, direction=leg.direction, due_at=due_at
                )
        if kept:
            rows.filter(pk__in=[row.pk for row in kept.values()]).delete()

    def _show(self, standing: Standing) -> None:
        rows, now = SagaInstance.objects.using(self._using), database_time()
        under_way = list(dict.fromkeys(leg.step for leg in standing.open_legs))
        problems = {
            leg.step: self.row.problems[place]
            for leg in standing.open_legs
            if (place := _place(leg.step, leg.direction)) in self.row.problems
        }
        changing = {
            "status": Status.NEEDS_INTERVENTION if problems else standing.status,
            "under_way": under_way,
            "open_items": problems,
            "updated_at": now,
            "ended_at": now if standing.has_ended else None,
        }
        if not rows.filter(pk=self.saga_id).update(**changing):
            rows.create(
                saga_id=self.saga_id,
                saga_type=self.process.saga_type,
                definition_version=1,
                key=self.key,
                correlation_id=current_context().correlation_id or "",
                started_at=now,
                **changing,
            )


def _place(step: str, direction: Direction) -> str:
    return f"{direction}:{step}"


def _places(standing: Standing) -> list[str]:
    return [_place(leg.step, leg.direction) for leg in standing.open_legs]
