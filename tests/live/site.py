"""`manage.py` on the test database, in processes of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.db import connection

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 30

_APPEND = """
import django; django.setup()
from events.store.configured import event_store
from tests.factories import cart, item_added
event_store().append(cart({cart}), [item_added(name=name) for name in {names}])
"""


class Site:
    """Its processes; and a directory for signs: a wall that subscribers wait at as long as it
    stands, and what they leave when they have reached it."""

    def __init__(self, directory: Path, database_url: str, **environment: str) -> None:
        self.directory = directory
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.live.settings",
            "DATABASE_URL": database_url,
            "LIVE_DIRECTORY": str(directory),
            **environment,
        }

    @property
    def wall(self) -> Path:
        return self.directory / "wall"

    @property
    def has_reached_the_wall(self) -> bool:
        return (self.directory / "reached").exists()

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A command of `manage.py`; it and its children are killed if they outlive the block."""
        process = self._start("manage.py", *arguments)
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def manage(self, *arguments: str) -> str:
        return self._finish(self._start("manage.py", *arguments))

    def append(self, *names: str, cart: int = 1) -> None:
        """Items of these names, to a cart."""
        self._finish(self._start("-c", _APPEND.format(cart=cart, names=names)))

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _finish(self, process: subprocess.Popen[str]) -> str:
        output, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        assert process.returncode == 0, output
        return output


def database_url() -> str:
    settings: dict[str, Any] = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{settings['NAME']}").geturl()
