"""`manage.py demo`: migrates, plays the scenario, says what happened, and serves the site."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from demo import scenario, shopping
from demo.broker import SecondService, running_second_service
from demo.broker import differences as unheard
from demo.cluster import is_all_handled, running_cluster, wait_until
from demo.tally import Tally
from events.delivery.draining import drain


class Command(BaseCommand):
    help = "Fill the database by real commands, then serve the site on this machine."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--once", action="store_true", help="end after the summary")

    def handle(self, *, port: int, once: bool, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo makes an operator with a known password: set DEBUG=on.")
        call_command("migrate", verbosity=0)
        call_command("check", databases=["default"])
        console = Console()
        drain()  # what an earlier demo left; and from now on, mails are sent
        tally = Tally()
        with running_second_service() as service, running_cluster():
            scenario.ensure_operator(tally)
            _play(console, tally)
            placed = _shop(console, tally)
            wait_until(lambda: is_all_handled() and not shopping.differences(placed))
            console.print(_summary(tally))
            console.print(_orders(placed))
            heard = _heard(console, tally, service) if service else []
            if found := [*scenario.differences(tally), *shopping.differences(placed), *heard]:
                raise CommandError("Not as expected: " + "; ".join(found))
            console.print(f"All as expected, in {tally.seconds():.1f} s.")
            if not once:
                _serve(console, port)


def _play(console: Console, tally: Tally) -> None:
    with Progress(console=console) as bar:
        task = bar.add_task("People register, log in, leave", total=scenario.NUMBER_OF_PEOPLE)
        scenario.play(tally, progress=lambda: bar.advance(task))


def _shop(console: Console, tally: Tally) -> dict[UUID, shopping.Kind]:
    with Progress(console=console) as bar:
        task = bar.add_task("They order", total=shopping.NUMBER_OF_ORDERS)
        return shopping.place_orders(tally, progress=lambda: bar.advance(task))


def _orders(placed: dict[UUID, shopping.Kind]) -> Table:
    table = Table("orders", "number", "what became of them", title="What became of the orders")
    for (kind, standing), number in shopping.outcomes(placed).items():
        table.add_row(kind, str(number), standing)
    return table


def _heard(console: Console, tally: Tally, service: SecondService) -> list[str]:
    """What another project has got of it all over RabbitMQ. Returns what is missing."""
    wait_until(lambda: not unheard(service.counts(), tally.events()))
    counts = service.counts()
    console.print(
        f"Over RabbitMQ, the service in examples/loyalty has heard of {counts['orders']} orders of "
        f"{counts['customers']} customers, {counts['completed']} of them completed."
    )
    return unheard(counts, tally.events())


def _summary(tally: Tally) -> Table:
    table = Table("", "done", "refused", "answered again", title="What happened")
    for command_type in sorted(tally.done | tally.refused):
        table.add_row(
            command_type,
            str(tally.done[command_type]),
            str(tally.refused[command_type]),
            str(tally.replayed[command_type]),
        )
    table.add_section()
    for event_type, number in sorted(tally.events().items()):
        table.add_row(f"{event_type} events", str(number), "", "")
    table.add_section()
    for subscription, number in sorted(tally.handled().items()):
        table.add_row(f"handled by {subscription}", str(number), "", "")
    return table


def _serve(console: Console, port: int) -> None:
    console.print(
        f"\nOpen [bold]http://127.0.0.1:{port}/admin/[/bold] and log in as "
        f"[bold]{scenario.OPERATOR}[/bold], password [bold]{scenario.PASSWORD}[/bold]. "
        "Ctrl-C ends it.\n"
    )
    call_command("runserver", f"127.0.0.1:{port}", use_reloader=False)
