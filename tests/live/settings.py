"""Those of the tests, with wake-ups: of an engine that looks more often than on a real site."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, EVENTS, INSTALLED_APPS, Q_CLUSTER, SECRET_KEY, env

EVENTS = EVENTS | {"wake_up": "events.delivery.djangoq.wake_up"}
INSTALLED_APPS = [*INSTALLED_APPS, "tests.live"]
Q_CLUSTER = Q_CLUSTER | {"workers": 1, "poll": 0.05, "guard_cycle": 0.1, "log_level": "WARNING"}
SECRET_KEY = env.str("LIVE_SECRET_KEY", default=SECRET_KEY)
if env.bool("LIVE_POOL", default=False):
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 4}
    DATABASES["default"] |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False}
