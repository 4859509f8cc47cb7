"""Answers to commands: expected, doubled, early, late, or to an older attempt."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from events.registry import event_types

from ..events import AnswerSetAside
from ..exceptions import AmbiguousAnswer
from ..identity import Direction, message_id_for
from ..inputs import Answered, Handled, Refused
from ..plan import PlannedStep, Route
from ..state import Answer, Leg, Progress
from . import backward, forward
from .draft import Draft

DO, UNDO = Direction.DO, Direction.UNDO


def answered(draft: Draft, given: Answered) -> None:
    routes = draft.plan.routes.get(type(given.event))
    if not routes:  # an answer for another version of the definition
        return
    route, attempt = _matched(draft, routes, given)
    step, answer_id = route.step, given.event.event_id
    if route.succeeded:
        learned = _learned(route, given)
        _success(draft, step, route.direction, attempt, answer_id, learned)
    else:
        reason = given.event.event_type
        _rejection(draft, step, route.direction, attempt, answer_id, reason)


def handled(draft: Draft, given: Handled) -> None:
    step = draft.plan.steps[given.step]
    if step.leg(given.direction).on_success is None:
        _success(draft, step, given.direction, given.attempt, None, {})


def refused(draft: Draft, given: Refused) -> None:
    step = draft.plan.steps[given.step]
    _rejection(draft, step, given.direction, given.attempt, None, given.reason)


def _matched(draft: Draft, routes: tuple[Route, ...], given: Answered) -> tuple[Route, int | None]:
    """Which leg and which attempt of it the event answers; None where the cause doesn't tell."""
    saga_id = draft.state.saga_id
    for route in routes:
        step, direction = route.step, route.direction
        # The last attempt is the likely one.
        for attempt in range(draft.leg(step, direction).attempt, 0, -1):
            message_id = message_id_for(saga_id, step.name, direction, attempt)
            if str(message_id) == given.causation_id:
                return route, attempt
    if len(routes) > 1:
        names = [route.step.name for route in routes]
        raise AmbiguousAnswer(saga_id, given.event.event_type, names)
    return routes[0], None


def _learned(route: Route, given: Answered) -> dict[str, Any]:
    if route.direction is UNDO or not route.step.learns:
        return {}
    told = event_types.encode(given.event)
    return {target: told[source] for source, target in route.step.learns.items()}


def _success(
    draft: Draft,
    step: PlannedStep,
    direction: Direction,
    attempt: int | None,
    answer_id: UUID | None,
    learned: dict[str, Any],
) -> None:
    leg = draft.leg(step, direction)
    attempt = leg.attempt if attempt is None else attempt
    if direction is UNDO:
        if attempt > leg.answered and (leg.is_under_way or leg.progress is Progress.FAILED):
            backward.succeeded(draft, step, attempt, answer_id)
    elif draft.state.is_backward:
        if attempt in leg.open_attempts or not leg.may_have_effect:
            _set_aside(draft, step, attempt, answer_id, True, learned)
            backward.late_success(draft, step)
    elif leg.progress is Progress.UNTOUCHED:
        _set_aside(draft, step, 0, answer_id, True, learned)
    elif not leg.is_done:
        forward.succeeded(draft, step, attempt, answer_id, learned)


def _rejection(
    draft: Draft,
    step: PlannedStep,
    direction: Direction,
    attempt: int | None,
    answer_id: UUID | None,
    reason: str,
) -> None:
    leg = draft.leg(step, direction)
    if attempt is None:
        if answer_id is not None and answer_id == leg.rejected_by:
            return
        attempt = leg.attempt
    if direction is UNDO:
        if leg.is_under_way and attempt == leg.attempt:
            backward.failed(draft, step, attempt, reason)
    elif _settles(draft, step, leg, attempt):
        forward.rejected(draft, step, attempt, answer_id, reason)
    elif leg.progress is Progress.UNTOUCHED or attempt in leg.open_attempts:
        _set_aside(draft, step, attempt, answer_id, False, {})


def _settles(draft: Draft, step: PlannedStep, leg: Leg, attempt: int) -> bool:
    """A rejection of the last attempt, unless another one has to be made anyway."""
    if draft.state.is_backward or leg.is_done:
        return False
    if attempt != leg.attempt or attempt not in leg.open_attempts:
        return False
    return leg.progress is not Progress.WAITING or not forward.must_succeed(draft, step)


def _set_aside(
    draft: Draft,
    step: PlannedStep,
    attempt: int,
    answer_id: UUID | None,
    succeeded: bool,
    learned: dict[str, Any],
) -> None:
    answer = Answer(attempt=attempt, succeeded=succeeded)
    if answer not in draft.leg(step, DO).set_aside:
        draft.add(
            AnswerSetAside,
            step=step.name,
            attempt=attempt,
            answer_id=answer_id,
            succeeded=succeeded,
            learned=learned,
        )
