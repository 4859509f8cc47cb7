"""The settings of RabbitMQ: the dict EVENTS["rabbitmq"], with these keys and defaults."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any

from ..conf import events_settings
from ..exceptions import InvalidInput, RabbitMQNotConfigured


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RabbitMQSettings:
    #: As `amqp://user:password@host:5672/vhost`, or `amqps://`. Several hosts: several URLs with
    #: semicolons between them.
    url: str
    #: Topic exchange of the events. Names of further parts begin with it.
    exchange: str = "events"
    #: The CloudEvents attribute: tells apart the projects that publish to one exchange.
    source: str = "/edda"
    #: What the relay publishes, as patterns of subscriptions. Empty: this project only consumes.
    relay: Sequence[str] = ("*",)
    #: "beginning" of the log, or from "now" on, when the relay is run for the first time.
    relay_start: str = "beginning"
    relay_lanes: int = 1
    #: Events that are published before it is waited for their confirms.
    relay_batch_size: int = 500
    #: A lost peer is noticed after about two of them.
    heartbeat_seconds: int = 20
    connect_timeout_seconds: float = 5.0
    #: For any answer of the broker.
    confirm_timeout_seconds: float = 20.0
    #: Above it a message isn't even sent. RabbitMQ 4 takes 16 MiB by default, 3.x 128 MiB.
    max_message_bytes: int = 16 * 1024 * 1024
    #: How long the ids of handled messages are kept: longer than a message can be on its way,
    #: and longer than anybody waits before redriving a dead letter.
    inbox_days: int = 30
    #: As `http://user:password@host:15672`. The doctor sees more with it.
    management_url: str | None = None

    def wrong_values(self) -> Iterator[InvalidInput]:
        rules = {
            "url": isinstance(self.url, str) and "://" in self.url,
            "exchange": isinstance(self.exchange, str) and 0 < len(self.exchange.encode()) <= 200,
            "source": isinstance(self.source, str) and self.source != "",
            "relay": isinstance(self.relay, list | tuple)
            and all(isinstance(each, str) for each in self.relay),
            "relay_start": self.relay_start in ("beginning", "now"),
            "relay_lanes": _is_number(self.relay_lanes, 1, 64),
            "relay_batch_size": _is_number(self.relay_batch_size, 1, 10_000),
            "heartbeat_seconds": _is_number(self.heartbeat_seconds, 1, 3600),
            "connect_timeout_seconds": _is_number(self.connect_timeout_seconds, 0.1, 3600),
            "confirm_timeout_seconds": _is_number(self.confirm_timeout_seconds, 0.1, 3600),
            "max_message_bytes": _is_number(self.max_message_bytes, 1, 512 * 1024 * 1024),
            "inbox_days": _is_number(self.inbox_days, 1, 36_500),
            "management_url": self.management_url is None
            or (isinstance(self.management_url, str) and "://" in self.management_url),
        }
        for name, holds in rules.items():
            if not holds:
                yield InvalidInput(f"EVENTS['rabbitmq'][{name!r}]", "can't be what it is")


def _is_number(value: Any, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def has_client() -> bool:
    # Once imported, kombu has put something in its place that says nothing of where it was found.
    return "kombu" in sys.modules or find_spec("kombu") is not None


def is_configured() -> bool:
    return bool(events_settings().rabbitmq)


def rabbitmq_settings() -> RabbitMQSettings:
    """Read when used. Raises RabbitMQNotConfigured, or InvalidInput with the key."""
    given = events_settings().rabbitmq
    if not given:
        raise RabbitMQNotConfigured
    return checked_settings(given)


def checked_settings(given: Mapping[str, Any]) -> RabbitMQSettings:
    """Raises InvalidInput with the key."""
    known = [field.name for field in dataclasses.fields(RabbitMQSettings)]
    for name in given:
        if name not in known:
            close = get_close_matches(str(name), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
            raise InvalidInput(f"EVENTS['rabbitmq'][{name!r}]", f"is no setting: {hint}")
    if "url" not in given:
        raise InvalidInput("EVENTS['rabbitmq']['url']", "is missing")
    settings = RabbitMQSettings(**given)
    if isinstance(settings.relay, list):  # so that it can be a key
        settings = dataclasses.replace(settings, relay=tuple(settings.relay))
    for error in settings.wrong_values():
        raise error
    return settings
