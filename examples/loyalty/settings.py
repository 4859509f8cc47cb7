from __future__ import annotations

import os
from pathlib import Path

SECRET_KEY = os.environ.get("SECRET_KEY", "insecure-key-for-development")
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "events",
    "examples.loyalty",
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("LOYALTY_DATABASE_FILE", Path.cwd() / "loyalty.sqlite3"),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}

EVENTS = {
    "rabbitmq": {
        "url": os.environ.get("RABBITMQ_URL", "amqp://guest:guest@localhost//"),
        # It publishes nothing.
        "relay": [],
    }
}
