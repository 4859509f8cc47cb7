from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SagasConfig(AppConfig):
    name = __package__
    label = "sagas"
    verbose_name = _("Sagas")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, events  # noqa: F401  (registers them)
