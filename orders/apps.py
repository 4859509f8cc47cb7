from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from events.apps import DomainAppConfig


class OrdersConfig(DomainAppConfig):
    name = "orders"
    verbose_name = _("Orders")
    default_auto_field = "django.db.models.BigAutoField"
    domain_modules = (*DomainAppConfig.domain_modules, "checks")
