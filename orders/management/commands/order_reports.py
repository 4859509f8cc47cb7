from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from events.management.table import aligned
from orders.reports.figures import currencies, figures_of
from orders.reports.sections import Table, sections


class Command(BaseCommand):
    help = "Prints the reports of the shop, as its page in the admin shows them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--currency", help="only this one")

    def handle(self, *, currency: str | None, **options: Any) -> None:
        for each in currencies():
            if currency in (None, each):
                for section in sections(figures_of(each)):
                    self.stdout.write(f"\n{section.title} ({each})\n")
                    for label, value in section.facts:
                        self.stdout.write(f"{label}: {value}")
                    for table in section.tables:
                        self.stdout.write(_written(table))


def _written(table: Table) -> str:
    rows = [*table.rows, *([table.totals] if table.totals else [])]
    return f"\n{aligned([str(each) for each in table.headings], rows)}\n"
