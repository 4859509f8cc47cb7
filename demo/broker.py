"""With a broker: the second service of `examples/loyalty` beside the demo, and what it heard."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

SETTINGS = "examples.loyalty.settings"
STOP_SECONDS = 10


class SecondService:
    """Its own process, its own settings and its own database. `run` is a management command."""

    def __init__(self, database_file: Path) -> None:
        self._environment = os.environ | {"LOYALTY_DATABASE_FILE": str(database_file)}
        self._environment.pop("DJANGO_SETTINGS_MODULE", None)

    def run(self, *command: str) -> str:
        return subprocess.run(
            self._words(command), check=True, capture_output=True, text=True, **self._options
        ).stdout

    def start(self, *command: str) -> subprocess.Popen[Any]:
        silent: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(
            self._words(command), start_new_session=True, **silent, **self._options
        )

    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = json.loads(self.run("loyalty_report"))
        return counts

    @property
    def _options(self) -> dict[str, Any]:
        return {"cwd": settings.BASE_DIR, "env": self._environment}

    @staticmethod
    def _words(command: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "django", *command, "--settings", SETTINGS]


@contextmanager
def running_second_service() -> Iterator[SecondService | None]:
    """None where the settings name no broker."""
    if not settings.EVENTS.get("rabbitmq"):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="loyalty-") as directory:
        service = SecondService(Path(directory) / "loyalty.sqlite3")
        service.run("migrate", "-v0")
        # Until its queue is there: what nobody is bound for then is not heard later.
        service.run("consume_rabbitmq", "--until-idle", "0.5")
        process = service.start("consume_rabbitmq")
        try:
            yield service
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def differences(counts: Mapping[str, int], events: Mapping[str, int]) -> list[str]:
    """Between what it has heard and the log; empty when all is well."""
    expected = {"orders": events["OrderPlaced"], "completed": events["OrderCompleted"]}
    return [
        f"the second service knows {counts[name]} orders as {name}, of {number}"
        for name, number in expected.items()
        if counts[name] != number
    ]
