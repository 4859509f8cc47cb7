"""Runs the suites on the PostgreSQL server in DATABASE_URL, in databases that it makes and drops.

They are written to docs/benchmarks.md, too. Fails when a row that demands a ratio does not reach
it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import django

from .document import update
from .report import Row, print_rows, write_json

#: By name, the module with its rows.
SUITES = {
    "store": "store",
    "bus": "bus",
    "sagas": "sagas",
    "rabbitmq": "rabbitmq",
    "import": "importing",
    "explorer": "explorer",
}
RESULTS = Path(__file__).parents[1] / "build" / "bench.json"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--suite", choices=SUITES, help="run one only")
    arguments = parser.parse_args()
    # An exception, so that databases are dropped and processes end.
    signal.signal(signal.SIGTERM, lambda signum, _frame: sys.exit(128 + signum))
    suites = [arguments.suite] if arguments.suite else list(SUITES)
    rows = list(measured(suites))
    print_rows(rows)
    update(suites, rows)
    write_json(rows, RESULTS)
    return 0 if all(row.holds for row in rows) else 1


def measured(suites: Sequence[str]) -> Iterator[Row]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    django.setup()
    # After the set-up, because they import models.
    from .server import benchmark_server

    with benchmark_server() as server:
        for suite in suites:
            for row in import_module(f"benchmarks.{SUITES[suite]}").rows(server):
                print(f"{suite}: {row.summary()}", file=sys.stderr)
                yield row


if __name__ == "__main__":
    sys.exit(main())
