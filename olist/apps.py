from __future__ import annotations

from django.apps import AppConfig


class OlistConfig(AppConfig):
    name = "olist"
    verbose_name = "Olist"
    default_auto_field = "django.db.models.BigAutoField"
