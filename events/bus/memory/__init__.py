"""A bus within this process: nothing is stored, and nothing outlives the call that publishes.

Reading order: `bus` (who is subscribed), `publication` (what happens to one event), `calling` (the
same for sync and async code), `result` and `metrics` (what came of it).
"""

from __future__ import annotations

from .bus import InMemoryEventBus
from .metrics import BusMetrics, SubscriptionMetrics
from .result import Outcome, OutcomeStatus, PublishResult
from .subscription import Subscription

__all__ = [
    "BusMetrics",
    "InMemoryEventBus",
    "Outcome",
    "OutcomeStatus",
    "PublishResult",
    "Subscription",
    "SubscriptionMetrics",
]
