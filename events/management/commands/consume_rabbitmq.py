from __future__ import annotations

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...bus.subscription import Delivery, subscriptions
from ...exceptions import EventsError


class Command(BaseCommand):
    help = (
        "Handles the events of subscriptions that name a queue, as they come from RabbitMQ. "
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
        from ...rabbitmq.conf import rabbitmq_settings
        from ...rabbitmq.consuming import Consumer

        try:
            settings = rabbitmq_settings()
            named = [subscriptions.get(name) for name in options["names"]]
        except EventsError as error:
            raise CommandError(str(error)) from error
        chosen = [
            each
            for each in named or subscriptions.of(Delivery.RABBITMQ)
            if each.delivery is Delivery.RABBITMQ
        ]
        if not chosen:
            raise CommandError("No subscription names a queue: there is nothing to consume.")
        # No threading.Event: its lock may be held by the very wait that the signal interrupts.
        signals: list[int] = []

        def stop(signum: int, frame: FrameType | None) -> None:
            signals.append(signum)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        consumer = Consumer(
            settings=settings, subscriptions=chosen, is_stopping=lambda: bool(signals)
        )
        self.stdout.write(f"Consuming for {len(chosen)} subscriptions.")
        consumer.run(idle_seconds=options["until_idle"])
        tally = consumer.tally
        self.stdout.write(
            f"{tally.handled} handled, {tally.received} received, {tally.repeated} repeated, "
            f"{tally.failed} failed, {tally.dead_letters} dead letters."
        )
