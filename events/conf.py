"""The settings of this app: one dict, `EVENTS`, with these keys and defaults."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from copy import deepcopy
from types import UnionType
from typing import Any

from django.conf import settings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EventsSettings:
    #: Alias in DATABASES of the log. Effects of commands are atomic with events only there.
    database: str = "default"
    #: Dotted path of the store class; None takes the one made for the database.
    store: str | None = None
    #: Events between two snapshots of an aggregate, unless its class says otherwise. None: never.
    snapshot_every: int | None = 10
    #: How often a command is tried when its stream changes meanwhile.
    command_attempts: int = 5
    #: Wait before the second attempt; doubles with each further one, and is spread by chance.
    command_retry_delay_seconds: float = 0.01
    #: Dotted path of a function that starts a worker, such as "events.delivery.djangoq.wake_up".
    #: None where `manage.py run_subscriptions` is always running.
    wake_up: str | None = None
    #: Name of the HTTP header that carries the correlation id in and out.
    correlation_header: str = "X-Correlation-ID"
    #: False behind a pooler that can't keep prepared statements, such as PgBouncer before 1.21.
    prepare_statements: bool = True
    #: Dotted paths of the DRF classes that tell who calls the API.
    api_authentication_classes: Sequence[str] = (
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.BasicAuthentication",
    )
    #: Where it is and how it is used: see `rabbitmq.conf`. None: not at all.
    rabbitmq: Mapping[str, Any] | None = None
    #: Content-Security-Policy of the explorer's pages; None where the host sets one for all pages.
    explorer_content_policy: str | None = "default-src 'self'; base-uri 'self'"

    def wrong_values(self) -> list[str]:
        """A sentence for each value that can't be."""
        rules = {
            "database": isinstance(self.database, str),
            "store": self.store is None or isinstance(self.store, str),
            "snapshot_every": self.snapshot_every is None
            or _is_number(self.snapshot_every, int, 0),
            "command_attempts": _is_number(self.command_attempts, int, 1),
            "command_retry_delay_seconds": _is_number(
                self.command_retry_delay_seconds, int | float, 0
            ),
            "wake_up": self.wake_up is None or isinstance(self.wake_up, str),
            "correlation_header": isinstance(self.correlation_header, str),
            "prepare_statements": isinstance(self.prepare_statements, bool),
            "api_authentication_classes": isinstance(self.api_authentication_classes, list | tuple),
            "rabbitmq": self.rabbitmq is None or isinstance(self.rabbitmq, dict),
            "explorer_content_policy": self.explorer_content_policy is None
            or isinstance(self.explorer_content_policy, str),
        }
        return [
            f"EVENTS[{name!r}] can't be {getattr(self, name)!r}."
            for name, holds in rules.items()
            if not holds
        ]


def _is_number(value: object, kind: type | UnionType, least: int) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and value >= least  # type: ignore[operator]


def setting_names() -> list[str]:
    return [field.name for field in dataclasses.fields(EventsSettings)]


def given_settings() -> dict[str, Any]:
    """The host's dict, as it stands."""
    return getattr(settings, "EVENTS", None) or {}


def events_settings() -> EventsSettings:
    """Read when used, so that a test can override it. Unknown keys are reported by a check."""
    given, [(last_given, last_settings)] = given_settings(), _last
    if given == last_given:
        return last_settings
    known = setting_names()
    made = EventsSettings(**{name: value for name, value in given.items() if name in known})
    # A copy: a dict that is changed in place shall not equal it.
    _last[:] = [(deepcopy(given), made)]
    return made


#: What the host gave last, and what was made of it.
_last: list[tuple[dict[str, Any], EventsSettings]] = [({}, EventsSettings())]
