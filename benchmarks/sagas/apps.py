from __future__ import annotations

from django.apps import AppConfig


class SagaBenchmarksConfig(AppConfig):
    name = "benchmarks.sagas"
    label = "saga_benchmarks"
    default_auto_field = "django.db.models.BigAutoField"
