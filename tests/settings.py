"""Those of the project, and an app for the tests of handlers."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import EVENTS, INSTALLED_APPS

# No thread of a test's own shall write to the database.
EVENTS = EVENTS | {"wake_up": None, "rabbitmq": None}
INSTALLED_APPS = [*INSTALLED_APPS, "tests.effects"]
