from __future__ import annotations

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...bus.subscription import Delivery, subscriptions
from ...delivery.worker import Worker
from ...exceptions import UnknownSubscription


class Command(BaseCommand):
    help = (
        "Handles the events of durable subscriptions as they come, without a task queue. "
        "SIGTERM or Ctrl-C ends it when what it has in hand is done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", help="subscriptions; default: all")
        parser.add_argument(
            "--until-idle",
            type=float,
            metavar="SECONDS",
            help="end when there was nothing to do for so long",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            chosen = [subscriptions.get(name) for name in options["names"]]
        except UnknownSubscription as error:
            raise CommandError(str(error)) from error
        # No threading.Event: its lock may be held by the very wait that the signal interrupts.
        signals: list[int] = []

        def stop(signum: int, frame: FrameType | None) -> None:
            signals.append(signum)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        durable = [
            each
            for each in chosen or subscriptions.of(Delivery.DURABLE)
            if each.delivery is Delivery.DURABLE
        ]
        worker = Worker(only=durable if chosen else None, is_stopping=lambda: bool(signals))
        self.stdout.write(f"Handling events for {len(durable)} subscriptions.")
        worker.run(idle_seconds=options["until_idle"])
        self.stdout.write(f"{worker.tally.handled} handled, {worker.tally.failed} failed.")
