"""The signals of this app. Definitions only."""

from __future__ import annotations

from django.dispatch import Signal

#: After events were appended, inside the transaction, before it commits: what a receiver writes to
#: the same database is stored together with the events, or not at all. A receiver that raises
#: undoes the append. Arguments: sender (the store's class), events (list of RecordedEvent, in
#: order), using (the database alias).
events_appended = Signal()

#: After a commit with events, in the process that made it; never after a rollback. Nothing is kept
#: of what a receiver misses or raises: for that, subscribe durably. Arguments as `events_appended`.
events_committed = Signal()

#: A durable handler has failed, and its effects are rolled back. Arguments: sender (Subscription),
#: subscription, event (RecordedEvent), error (exception with its traceback), attempt (1, 2, ...).
handler_failed = Signal()

#: An event of a durable subscription was given up, and waits for an operator. Arguments: sender
#: (FailedEvent), failed_event (its row), subscription, error.
event_dead_lettered = Signal()
