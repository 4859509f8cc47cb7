"""System checks: every trap of operation that we know of, with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.utils.module_loading import import_string

from .command_bus import command_bus
from .conf import events_settings, given_settings, setting_names
from .registry import command_types, event_types

Apps = Sequence[AppConfig] | None


@register
def check_settings(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if not isinstance(given_settings(), dict):
        return [Error("EVENTS isn't a dict.", id="events.E001")]
    known = setting_names()
    messages: list[CheckMessage] = []
    for name in given_settings():
        if name not in known:
            close = get_close_matches(str(name), known, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Known are {', '.join(known)}."
            messages.append(Error(f"EVENTS has no key {name!r}.", hint=hint, id="events.E001"))
    configured = events_settings()
    messages += [Error(sentence, id="events.E005") for sentence in configured.wrong_values()]
    for name in ("store", "wake_up"):
        path = getattr(configured, name)
        if isinstance(path, str):
            try:
                import_string(path)
            except ImportError as error:
                messages.append(Error(f"EVENTS[{name!r}]: {error}", id="events.E005"))
    alias = configured.database
    if alias not in connections:
        messages.append(
            Error(f"EVENTS['database'] is {alias!r}, not in DATABASES.", id="events.E002")
        )
    if not settings.USE_TZ:
        messages.append(
            Error(
                "USE_TZ is False, but every event has a moment with an offset.",
                hint="Set USE_TZ = True.",
                id="events.E003",
            )
        )
    return messages


@register
def check_upcasters(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    return [*_missing_upcasters(), *_unused_upcasters()]


def _unused_upcasters() -> list[CheckMessage]:
    current_versions = {cls.event_type: cls.event_version for cls in event_types}
    return [
        Warning(
            f"An upcaster starts from {event_type} version {version}, but no class is newer.",
            hint="Raise the version of the class, or mend the name of the type.",
            id="events.W003",
        )
        for event_type, version in event_types.upcasters.unused_steps(current_versions)
    ]


def _missing_upcasters() -> list[CheckMessage]:
    return [
        Error(
            f"No upcaster starts from {cls.event_type} version {version}.",
            hint=f"Stored events of it can't be read: write @upcasts({cls.event_type!r}, "
            f"from_version={version}).",
            obj=cls,
            id="events.E004",
        )
        for cls in event_types
        for version in event_types.upcasters.missing_steps(cls.event_type, cls.event_version)
    ]


@register
def check_handlers(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    handled = set(command_bus)
    return [
        Warning(
            f"No handler is registered for the command {cls.command_type}.",
            hint="Decorate one with @handles in a module that your DomainAppConfig imports.",
            obj=cls,
            id="events.W001",
        )
        for cls in command_types
        if cls not in handled
    ]


@register(Tags.database)
def check_sqlite(
    app_configs: Apps, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    alias = events_settings().database
    if alias not in (databases or ()) or connections[alias].vendor != "sqlite":
        return []
    options = connections[alias].settings_dict.get("OPTIONS", {})
    if str(options.get("transaction_mode")).upper() in ("IMMEDIATE", "EXCLUSIVE"):
        return []
    return [
        Warning(
            f"SQLite transactions of {alias!r} start as readers: two writers fail with "
            "'database is locked' at once, whatever the timeout.",
            hint='Set OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": 20, '
            '"init_command": "PRAGMA journal_mode=WAL;"}.',
            id="events.W002",
        )
    ]
