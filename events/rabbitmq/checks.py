"""System checks of the settings for RabbitMQ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Warning, register

from ..bus.subscription import Delivery, subscriptions
from ..exceptions import InvalidInput
from .conf import has_client, is_configured, rabbitmq_settings

Apps = Sequence[AppConfig] | None

#: RabbitMQ's own: a consumer that leaves a message unacknowledged for longer is cut off.
CONSUMER_TIMEOUT_SECONDS = 1800


@register
def check_rabbitmq(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if not is_configured():
        return []
    messages: list[CheckMessage] = []
    if not has_client():
        hint = "pip install 'kombu>=5.4', or remove the setting."
        text = "EVENTS['rabbitmq'] is set, but kombu isn't installed."
        messages.append(Error(text, hint=hint, id="events.E012"))
    try:
        rabbitmq_settings()
    except InvalidInput as error:
        messages.append(Error(f"{error}.", id="events.E013"))
    return [*messages, *_slow_consumers()]


def _slow_consumers() -> Iterator[CheckMessage]:
    for subscription in subscriptions.of(Delivery.RABBITMQ):
        options, limit = subscription.queue, subscription.timeout_seconds
        if options is None or options.ordered:
            continue
        if limit is None or options.prefetch * limit > CONSUMER_TIMEOUT_SECONDS:
            yield Warning(
                f"{subscription} takes {options.prefetch} messages at once, with "
                f"{'no limit' if limit is None else f'{limit:g} s'} for each: the last one may "
                "wait for longer than RabbitMQ lets a consumer wait (30 minutes).",
                hint="Lower the queue's prefetch, or timeout_seconds.",
                id="events.W017",
            )
