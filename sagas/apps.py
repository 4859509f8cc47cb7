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

        from . import checks, choreography_checks, events  # noqa: F401  (registers them)
        from .blocking import block_sagas
        from .deadlines import fire_due_deadlines
        from .inbox import follow_definitions
        from .reacting import follow_choreographies
        from .registry import definitions
        from .sending import subscribe_to_requests
        from .timers import fire_due_timers
        from .watch import note_dead_letter, watch_choreographies

        subscribe_to_requests()
        follow_definitions()
        definitions.observers.append(follow_definitions)
        follow_choreographies()
        watch_choreographies()
        add_chore(fire_due_timers)
        add_chore(fire_due_deadlines)
        event_dead_lettered.connect(block_sagas, dispatch_uid="sagas.blocking")
        event_dead_lettered.connect(note_dead_letter, dispatch_uid="sagas.watch")
