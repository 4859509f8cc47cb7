from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count, Q

from ...models import Purchase


class Command(BaseCommand):
    help = "Says how many orders of how many customers it has heard of, as JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        counts = Purchase._default_manager.aggregate(
            orders=Count("pk"),
            completed=Count("pk", filter=Q(is_completed=True)),
            customers=Count("customer_id", distinct=True),
        )
        self.stdout.write(json.dumps(counts))
