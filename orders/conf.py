"""The settings of this app: one dict, `ORDERS`, with these keys and defaults."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from .gateways.carriers import Carrier
from .gateways.payments import PaymentGateway

SAGA_STYLES = ("orchestrated", "choreographed")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OrdersSettings:
    #: Dotted path of a PaymentGateway; it is called without arguments.
    payment_gateway: str = "orders.gateways.simulated_payments.SimulatedPayments"
    #: What sees an order through: "orchestrated" or "choreographed" (see `sagas/`), or None.
    saga_style: str | None = "orchestrated"
    #: Dotted path of a Carrier; it is called without arguments.
    carrier: str = "orders.gateways.simulated_carriers.SimulatedCarrier"


def setting_names() -> list[str]:
    return [field.name for field in dataclasses.fields(OrdersSettings)]


def given_settings() -> dict[str, Any]:
    """The project's dict, as it stands."""
    return getattr(settings, "ORDERS", None) or {}


def orders_settings() -> OrdersSettings:
    """Read when used, so that a test can override it. Unknown keys are reported by a check."""
    known = setting_names()
    return OrdersSettings(**{k: v for k, v in given_settings().items() if k in known})


def payment_gateway() -> PaymentGateway:
    gateway: PaymentGateway = _instance(orders_settings().payment_gateway)
    return gateway


def carrier() -> Carrier:
    chosen: Carrier = _instance(orders_settings().carrier)
    return chosen


@lru_cache
def _instance(path: str) -> Any:
    return import_string(path)()
