"""The data set through the whole shop, in the database that DATABASE_URL names, which it empties:
`python -m olist DIR`.

First the orders are taken over as history, and the reports made of it. Then they are placed as
commands, with a worker beside the import; with `--kills` both are killed on their way, and go on.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import django

MANAGE = Path(__file__).resolve().parents[1] / "manage.py"
STOP_SECONDS = 30
SECONDS_BEFORE_A_KILL = (10.0, 40.0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m olist", description=__doc__)
    parser.add_argument("directory", type=Path, help="where the files of the data set are")
    parser.add_argument("--month", metavar="2017-11", help="place only the orders of this month")
    parser.add_argument("--kills", type=int, default=0)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda signum, _frame: sys.exit(128 + signum))
    directory = str(arguments.directory)
    manage("migrate", "--verbosity", "0")
    if not log_is_empty():
        parser.error("the database has events; this empties it, so give it one of its own")
    take_over(directory)
    month = ["--month", arguments.month] if arguments.month else []
    return place([directory, "--as", "commands", *month], arguments.kills)


def log_is_empty() -> bool:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from events.store.configured import event_store

    return event_store().high_water_mark() == 0


def take_over(directory: str) -> None:
    """By no process of orders: it would take them for new ones."""
    print("\nAs history\n", flush=True)
    manage("flush", "--no-input", "--verbosity", "0")
    manage("import_olist", directory, "--as", "history", SAGA_STYLE="")
    manage("rebuild_projection", "orders.orders", SAGA_STYLE="")
    manage("order_reports", SAGA_STYLE="")


def place(arguments: Sequence[str], kills: int) -> int:
    print("\nAs commands\n", flush=True)
    manage("flush", "--no-input", "--verbosity", "0")
    for number in range(1, kills + 1):
        with running("run_subscriptions") as worker, running("import_olist", *arguments) as placing:
            with suppress(subprocess.TimeoutExpired):
                return placing.wait(random.uniform(*SECONDS_BEFORE_A_KILL))
            for process in (placing, worker):
                process.kill()
            print(f"\nKilled, {number} of {kills}\n", flush=True)
    with running("run_subscriptions"), running("import_olist", *arguments) as placing:
        return placing.wait()


def manage(*arguments: str, **environment: str) -> None:
    command = [sys.executable, str(MANAGE), *arguments]
    subprocess.run(command, check=True, env=os.environ | environment)


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, str(MANAGE), *arguments])
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


if __name__ == "__main__":
    sys.exit(main())
