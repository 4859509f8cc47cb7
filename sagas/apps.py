from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SagasConfig(AppConfig):
    name = __package__
    label = "sagas"
    verbose_name = _("Sagas")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from events.delivery.chores import add_chore
        from events.signals import event_dead_lettered

        from . import checks, events  # noqa: F401  (registers them)
        from .blocking import block_sagas
        from .inbox import follow_definitions
        from .registry import definitions
        from .sending import subscribe_to_requests
        from .timers import fire_due_timers

        subscribe_to_requests()
        follow_definitions()
        definitions.observers.append(follow_definitions)
        add_chore(fire_due_timers)
        event_dead_lettered.connect(block_sagas, dispatch_uid="sagas.blocking")
