from __future__ import annotations

import os
import time
from pathlib import Path

from events.bus.subscription import subscribes_to
from events.delivery import djangoq
from events.recorded_event import RecordedEvent
from tests.effects.models import leave_effect
from tests.factories import ItemAdded

# Tasks fall asleep sooner than on a real site.
djangoq.LINGER_SECONDS = 0.3


@subscribes_to(ItemAdded, name="live.effects", batch_size=10)
def effects(recorded: RecordedEvent) -> None:
    """Waits in the midst of the event called `wall`, until the test takes the wall away."""
    directory = Path(os.environ["LIVE_DIRECTORY"])
    leave_effect(recorded)
    if recorded.data["name"] == "wall":
        (directory / "reached").touch()
        while (directory / "wall").exists():
            time.sleep(0.005)
