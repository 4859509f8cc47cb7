"""Sagas as JSON, for the API and for `manage.py sagas`."""

from __future__ import annotations

from datetime import datetime

from events.codec import JsonObject

from .models import SagaInstance
from .progress import StepView


def instance_to_json(row: SagaInstance) -> JsonObject:
    return {
        "saga_id": row.saga_id,
        "type": row.saga_type,
        "definition_version": row.definition_version,
        "key": row.key,
        "status": row.status,
        "under_way": row.under_way,
        "open_items": row.open_items,
        "correlation_id": row.correlation_id or None,
        "started_at": _moment(row.started_at),
        "updated_at": _moment(row.updated_at),
        "ended_at": _moment(row.ended_at),
    }


def step_to_json(view: StepView) -> JsonObject:
    return {
        "name": view.name,
        "stage": view.stage,
        "standing": view.standing.value,
        "traits": list(view.traits),
        "do_attempts": view.do_attempts,
        "undo_attempts": view.undo_attempts,
        "due_at": _moment(view.due_at),
        "problem": view.item.problem if view.item else None,
        "advice": view.item.advice if view.item else None,
    }


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
