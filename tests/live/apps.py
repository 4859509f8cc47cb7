from __future__ import annotations

from events.apps import DomainAppConfig


class LiveConfig(DomainAppConfig):
    name = "tests.live"
    domain_modules = ("subscribers",)
