"""System checks of the setting `ORDERS`."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from .conf import SAGA_STYLES, given_settings, orders_settings, setting_names


@register
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if not isinstance(given_settings(), dict):
        return [Error("ORDERS isn't a dict.", id="orders.E001")]
    return [*_unknown_keys(), *_missing_classes(), *_unknown_saga_style()]


def _unknown_keys() -> list[CheckMessage]:
    known = setting_names()
    messages: list[CheckMessage] = []
    for name in given_settings():
        if name not in known:
            close = get_close_matches(str(name), known, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Known are {', '.join(known)}."
            messages.append(Error(f"ORDERS has no key {name!r}.", hint=hint, id="orders.E001"))
    return messages


def _missing_classes() -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    for name in ("payment_gateway", "carrier"):
        path = getattr(orders_settings(), name)
        try:
            import_string(path)
        except (ImportError, AttributeError, TypeError) as error:
            messages.append(Error(f"ORDERS[{name!r}] can't be {path!r}: {error}", id="orders.E002"))
    return messages


def _unknown_saga_style() -> list[CheckMessage]:
    style = orders_settings().saga_style
    if style is None or style in SAGA_STYLES:
        return []
    message = f"ORDERS['saga_style'] can't be {style!r}: no order would be seen through."
    hint = f"Choose {' or '.join(map(repr, SAGA_STYLES))}; None to have orders left alone."
    return [Error(message, hint=hint, id="orders.E003")]
