from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...delivery.rebuilding import Rebuild
from ...exceptions import RebuildFailed, RebuildRunning, UnknownProjection
from ...projections import projections

_BAR_WIDTH = 30
_SECONDS_BETWEEN_LINES = 0.2


class Command(BaseCommand):
    help = (
        "Makes the rows of a projection anew from all events. The old rows stay readable until "
        "the new ones take their place. Interrupted or failed, it goes on where it was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="of the projection; none lists them")
        parser.add_argument(
            "--restart", action="store_true", help="begin anew what was interrupted"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["name"] is None:
            for declared in projections:
                self.stdout.write(declared.name)
            return
        started = time.monotonic()
        try:
            rebuild = Rebuild(projections.get(options["name"]))
            tally = rebuild.run(restart=options["restart"], progress=self._bar())
        except RebuildFailed as error:
            raise CommandError(f"{error} The error was: {error.__cause__!r}") from error
        except (UnknownProjection, RebuildRunning) as error:
            raise CommandError(str(error)) from error
        seconds = time.monotonic() - started
        self.stdout.write(f"\n{tally.handled:,} events handled in {seconds:.1f} s.")

    def _bar(self) -> Any:
        """On a terminal it stays on its line."""
        start, shown_at = time.monotonic(), float("-inf")

        def show(position: int, last: int) -> None:
            nonlocal shown_at
            now = time.monotonic()
            if now - shown_at < _SECONDS_BETWEEN_LINES and position < last:
                return
            shown_at = now
            share = position / last if last else 1.0
            filled = int(_BAR_WIDTH * share)
            rest = (now - start) / share * (1 - share) if share else 0
            bar = "#" * filled + "-" * (_BAR_WIDTH - filled)
            self.stdout.write(
                f"\r[{bar}] {share:4.0%}  {position:,} of {last:,}, {rest:.0f} s left ", ending=""
            )
            self.stdout.flush()

        return show
