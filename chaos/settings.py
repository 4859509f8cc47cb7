"""The project's reusable apps, and a table for what handlers do."""

from __future__ import annotations

import os

from benchmarks.settings import *  # noqa: F403
from benchmarks.settings import EVENTS
from benchmarks.settings import INSTALLED_APPS as REUSABLE_APPS

EVENTS = EVENTS | {"wake_up": None, "rabbitmq": None}
ORDERS = {"saga_style": os.environ.get("CHAOS_SAGA_STYLE", "orchestrated")}
INSTALLED_APPS = [*REUSABLE_APPS, "tests.effects"]
