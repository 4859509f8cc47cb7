"""An answer that is still to come."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pending:
    """The request was taken, and nothing is decided yet: a card holder who has to agree, a parcel
    that waits to be fetched. Asked again under its key, the foreign system says how it stands."""
