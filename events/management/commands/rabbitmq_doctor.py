from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...bus.subscription import Delivery, subscriptions
from ...exceptions import EventsError


class Command(BaseCommand):
    help = (
        "Compares the queues and exchanges of RabbitMQ with what the code declares, and sends some "
        "messages to see that dead letters, retries and the unroutable come out where they should."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        from ...rabbitmq.conf import rabbitmq_settings
        from ...rabbitmq.doctor import Severity, examine

        errors = 0
        styles = {
            Severity.FINE: self.style.SUCCESS,
            Severity.WARNING: self.style.WARNING,
            Severity.ERROR: self.style.ERROR,
        }
        try:
            for finding in examine(rabbitmq_settings(), subscriptions.of(Delivery.RABBITMQ)):
                mark = styles[finding.severity](f"{finding.severity.value:8}")
                self.stdout.write(f"{mark} {finding.subject}: {finding.text}.")
                errors += finding.severity is Severity.ERROR
        except EventsError as error:
            raise CommandError(str(error)) from error
        if errors:
            raise CommandError(f"{errors} errors.")
