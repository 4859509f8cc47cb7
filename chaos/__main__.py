"""Runs a suite in a database that it makes and drops, on the server in DATABASE_URL.

Fails when anything was lost, doubled or out of order, or has ended as it must not.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import signal
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import django

SUITES = ("bus", "sagas", "rabbitmq")
STYLES = ("orchestrated", "choreographed")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--suite", choices=SUITES, help="run one only")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--events", type=int, help="of the suites bus and rabbitmq")
    parser.add_argument("--orders", type=int, help="of the suite sagas")
    parser.add_argument("--style", choices=STYLES, default=STYLES[0], help="of the order saga")
    arguments = parser.parse_args()
    # An exception, so that the database is dropped and processes end.
    signal.signal(signal.SIGTERM, lambda signum, _frame: sys.exit(128 + signum))
    os.environ["DJANGO_SETTINGS_MODULE"] = "chaos.settings"
    os.environ["CHAOS_SAGA_STYLE"] = arguments.style
    django.setup()
    # After the set-up, because they import models.
    from django.test.utils import setup_databases, teardown_databases

    holds = True
    for name in [arguments.suite] if arguments.suite else SUITES:
        suite = import_module(f"chaos.{name}")
        databases = setup_databases(verbosity=0, interactive=False)
        try:
            outcome = suite.run(plan_of(suite, vars(arguments)))
        finally:
            teardown_databases(databases, verbosity=0)
        outcome.show()
        holds = holds and outcome.holds
    return 0 if holds else 1


def plan_of(suite: Any, arguments: Mapping[str, Any]) -> Any:
    """As the suite has it by default, but for what was given."""
    names = {field.name for field in dataclasses.fields(suite.Plan)}
    given = {name: value for name, value in arguments.items() if name in names}
    return suite.Plan(**{name: value for name, value in given.items() if value is not None})


if __name__ == "__main__":
    sys.exit(main())
