from __future__ import annotations

from events.apps import DomainAppConfig


class LoyaltyConfig(DomainAppConfig):
    name = "examples.loyalty"
    label = "loyalty"
