"""Drops snapshots that somebody doesn't trust. The next load replays."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from ..conf import events_settings
from ..delivery.dead_letters import Outcome, Skipped
from ..delivery.operator_log import check_actor, check_reason, write_down
from ..models import Snapshot
from ..store.configured import event_store
from ..streams import StreamName


def drop(rows: Sequence[Snapshot], *, actor: str, reason: str) -> Outcome:
    """Each in a transaction of its own. One that was replaced since it was chosen is skipped.
    Raises InvalidInput without a reason."""
    check_actor(actor)
    check_reason(reason)
    done, skipped = [], []
    for row in rows:
        if _drop(row, actor, reason):
            done.append(row.pk)
        else:
            skipped.append(Skipped(row.pk, "it is not as it was chosen any more"))
    return Outcome(tuple(done), tuple(skipped))


def _drop(row: Snapshot, actor: str, reason: str) -> bool:
    stream, using = StreamName(row.aggregate_type, row.aggregate_id), events_settings().database
    with transaction.atomic(using=using):
        known = Snapshot.objects.using(using).select_for_update().filter(pk=row.pk)
        if list(known.values_list("version", flat=True)) != [row.version]:
            return False
        event_store().delete_snapshot(stream)
        write_down(
            "drop_snapshot",
            "",
            actor=actor,
            reason=reason,
            details={"stream": str(stream), "version": row.version},
        )
    return True
