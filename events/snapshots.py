"""The state of an aggregate at a version, kept so that loading needn't start at the first event."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from .codec import JsonObject


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """`schema_version` is that of the aggregate class that wrote `data`; others ignore it."""

    version: int
    schema_version: int
    data: JsonObject
    created_at: datetime = field(default_factory=_now)
