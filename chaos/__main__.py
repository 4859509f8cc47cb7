"""Runs a suite in a database that it makes and drops, on the server in DATABASE_URL.

Fails when anything was lost, doubled or out of order.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from importlib import import_module

import django

SUITES = ("bus",)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--suite", choices=SUITES, help="run one only")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--events", type=int, default=20_000)
    arguments = parser.parse_args()
    # An exception, so that the database is dropped and processes end.
    signal.signal(signal.SIGTERM, lambda signum, _frame: sys.exit(128 + signum))
    os.environ["DJANGO_SETTINGS_MODULE"] = "chaos.settings"
    django.setup()
    # After the set-up, because they import models.
    from django.test.utils import setup_databases, teardown_databases

    holds = True
    for name in [arguments.suite] if arguments.suite else SUITES:
        suite = import_module(f"chaos.{name}")
        databases = setup_databases(verbosity=0, interactive=False)
        try:
            outcome = suite.run(suite.Plan(kills=arguments.kills, events=arguments.events))
        finally:
            teardown_databases(databases, verbosity=0)
        outcome.show()
        holds = holds and outcome.holds
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
