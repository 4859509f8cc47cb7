"""The signals of this app. Definitions only."""

from __future__ import annotations

from django.dispatch import Signal

#: After events were appended, inside the transaction, before it commits: what a receiver writes to
#: the same database is stored together with the events, or not at all. A receiver that raises
#: undoes the append. Arguments: sender (the store's class), events (list of RecordedEvent, in
#: order), using (the database alias).
events_appended = Signal()
