"""The project's settings with its reusable apps alone: receivers of the example would take part in
each append. DEBUG is off, because Django then keeps a record of every query."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import EVENTS, Q_CLUSTER
from config.settings import INSTALLED_APPS as ALL_APPS

INSTALLED_APPS = [app for app in ALL_APPS if app not in ("users", "demo")]
INSTALLED_APPS += ["benchmarks.bus", "benchmarks.sagas"]
EVENTS = EVENTS | {"wake_up": None, "rabbitmq": None}
Q_CLUSTER = Q_CLUSTER | {"log_level": "WARNING"}
DEBUG = False
ALLOWED_HOSTS = ["localhost"]
