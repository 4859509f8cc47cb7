from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from events.apps import DomainAppConfig

from .conf import orders_settings


class OrdersConfig(DomainAppConfig):
    name = "orders"
    verbose_name = _("Orders")
    default_auto_field = "django.db.models.BigAutoField"
    domain_modules = (*DomainAppConfig.domain_modules, "checks")

    def ready(self) -> None:
        super().ready()
        match orders_settings().saga_style:
            case "orchestrated":
                from .sagas import outcome  # noqa: F401  (and the definition that it is about)
            case "choreographed":
                from .sagas import choreographed_outcome  # noqa: F401  (as above)
