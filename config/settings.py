"""Settings of the example project; what differs between machines comes from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()

# On by default, because this is an example; it then answers to localhost only, unless ALLOWED_HOSTS
# says otherwise. Switched off, it insists on a SECRET_KEY and on HTTPS.
DEBUG = env.bool("DEBUG", default=True)
SECRET_KEY = env.str("SECRET_KEY", default="insecure-key-for-development" if DEBUG else env.NOTSET)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_q",
    "events",
    "sagas",
    "users",
    "orders",
    "olist",
    "demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "events.middleware.MessageContextMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Defaults of the app, with their meaning: events/conf.py
EVENTS: dict[str, Any] = {"wake_up": "events.delivery.djangoq.wake_up"}
# With a broker, the log is published to it. Defaults: events/rabbitmq/conf.py
if rabbitmq_url := env.str("RABBITMQ_URL", default=""):
    EVENTS["rabbitmq"] = {
        "url": rabbitmq_url,
        "management_url": env.str("RABBITMQ_MANAGEMENT_URL", default="") or None,
    }

# Defaults of the shop: orders/conf.py
ORDERS: dict[str, Any] = {
    # "orchestrated", "choreographed", or empty for none.
    "saga_style": env.str("SAGA_STYLE", default="orchestrated") or None,
    # The simulators, but for orders of the Olist data set.
    "payment_gateway": "olist.outside_world.Payments",
    "carrier": "olist.outside_world.Carrier",
}


def database(url: str) -> dict[str, Any]:
    """The database at `url`; an empty one means a SQLite file beside manage.py."""
    config: dict[str, Any]
    if url:
        config = env.db_url_config(url)
    else:
        config = {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}
    options = config.setdefault("OPTIONS", {})
    if config["ENGINE"] == "django.db.backends.sqlite3":
        # Without IMMEDIATE, a transaction that reads before it writes fails at once when another
        # has written since: the timeout does not apply to it, and WAL makes it more frequent.
        options |= {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
        # A file for tests, too: a database in memory has no WAL and does not wait for a lock.
        config["TEST"] = {"NAME": env.str("TEST_DATABASE_FILE", default=BASE_DIR / "test.sqlite3")}
    elif config["ENGINE"] == "django.db.backends.postgresql":
        config = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True} | config
        # In a URL, a socket directory can only be a parameter; Django wants it outside of OPTIONS.
        for name in options.keys() & {"host", "port", "user", "password"}:
            config[name.upper()] = options.pop(name)
    return config


DATABASES = {"default": database(env.str("DATABASE_URL", default=""))}

# For a cluster that drains subscriptions and does nothing else.
Q_CLUSTER = {
    "name": "edda",
    # The database of the log: django-q2's tasks are rows in it.
    "orm": "default",
    # SQLite has one writer at a time.
    "workers": 2 if "postgresql" in DATABASES["default"]["ENGINE"] else 1,
    # A task ends by itself after 25 s, plus the handler that is running then.
    "timeout": 90,
    # More than timeout * ((queue_limit + bulk) / workers + 1): it counts from when a task is taken
    # from the database, not from when it is started.
    "retry": 600,
    "queue_limit": 2,
    "bulk": 1,
    "poll": 0.2,
    # Failures of handlers are kept in our own tables. Any other limit has each task load all
    # results that were saved.
    "save_limit": -1,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "recycle": 10_000,
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Each mail is a file, until the environment names something that sends them.
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = BASE_DIR / "build" / "mail"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="edda@localhost")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

if not DEBUG:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=3600)
    # Only behind a proxy that sets or removes this header; any client could send it otherwise.
    if env.bool("TRUST_X_FORWARDED_PROTO", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
