"""This app, and the base for apps that hold events, commands and handlers."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from .conf import events_settings


class EventsConfig(AppConfig):
    name = __package__
    label = "events"
    verbose_name = _("Events")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401  (registers them)
        from .api import checks as checks_of_api  # noqa: F401
        from .bus.dispatcher import follow_subscriptions
        from .delivery import checks as checks_of_delivery  # noqa: F401
        from .delivery import cluster_checks, djangoq  # noqa: F401
        from .delivery.background import carry_out_operations
        from .delivery.chores import add_chore
        from .delivery.sampling import take_samples

        follow_subscriptions()
        add_chore(carry_out_operations)
        add_chore(take_samples)
        if events_settings().rabbitmq:
            from .rabbitmq.startup import start_using

            start_using()
        if djangoq.is_in_use():
            post_migrate.connect(djangoq.ensure_schedule, sender=self)


class DomainAppConfig(AppConfig):
    """Imports the app's own modules that register something by decorator, once Django is ready.

    A module that doesn't exist is fine; an error inside of one is raised.
    """

    # Not itself the config of an app whose apps.py imports it; subclasses are, unless they say no.
    default = False

    domain_modules: tuple[str, ...] = (
        "events",
        "upcasters",
        "commands",
        "handlers",
        "projections",
        "subscribers",
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.default = cls.__dict__.get("default", True)

    def ready(self) -> None:
        for module in self.domain_modules:
            name = f"{self.name}.{module}"
            if find_spec(name):
                import_module(name)
