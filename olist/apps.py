from __future__ import annotations

from django.apps import AppConfig


class OlistConfig(AppConfig):
    name = "olist"
