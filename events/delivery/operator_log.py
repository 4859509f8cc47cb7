"""Writes down who did what to subscriptions and failed events, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..conf import events_settings
from ..exceptions import InvalidInput
from ..models import OperatorAction
from .wake_ups import wake_after_commit

_MAX_ACTOR_LENGTH = 200


def check_actor(actor: str) -> None:
    if not actor.strip() or len(actor) > _MAX_ACTOR_LENGTH:
        raise InvalidInput("actor", f"say who does this, in at most {_MAX_ACTOR_LENGTH} characters")


def check_reason(reason: str) -> None:
    if not reason.strip():
        raise InvalidInput("reason", "say why: it is kept in the operator log")


def write_down(
    action: str,
    subscription: str,
    *,
    actor: str,
    reason: str,
    details: dict[str, Any],
    subject: str = "",
) -> None:
    """In the transaction of the action itself. After it, a worker looks what there is to do."""
    write_all_down([entry(action, subscription, actor, reason, details, subject)])


def entry(
    action: str,
    subscription: str,
    actor: str,
    reason: str,
    details: dict[str, Any],
    subject: str,
) -> OperatorAction:
    return OperatorAction(
        action=action,
        subscription=subscription,
        subject=subject,
        actor=actor,
        reason=reason,
        details=details,
    )


def write_all_down(entries: Sequence[OperatorAction]) -> None:
    """As `write_down`."""
    using = events_settings().database
    OperatorAction.objects.using(using).bulk_create(entries)
    wake_after_commit(using)
