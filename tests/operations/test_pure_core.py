"""The core works in a bare interpreter: no settings, no Django, no database driver."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
PURE = [contract for contract in CONTRACTS if contract["name"].startswith("The core of ")]
PURE_MODULES = [module for contract in PURE for module in contract["source_modules"]]
FORBIDDEN = {module for contract in PURE for module in contract["forbidden_modules"]}


def run(code: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT)},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stderr == ""
    return finished.stdout


def test_the_list_of_pure_modules_is_not_empty():
    assert {"events.aggregates", "sagas.decisions"} <= set(PURE_MODULES)
    assert {"django", "psycopg"} <= FORBIDDEN


@pytest.mark.parametrize("module", PURE_MODULES)
def test_a_pure_module_is_imported_alone_and_brings_no_django(module):
    assert run(f"import sys, {module}; print({FORBIDDEN} & sys.modules.keys())") == "set()\n"


DOMAIN = """
from events.aggregates import EventSourcedAggregate
from events.envelope import domain_event_from_json, recorded_event_to_json
from events.messages import DomainEvent
from events.registry import event
from events.store.memory import MemoryEventStore
from events.testing import given

@event("Opened")
class Opened(DomainEvent):
    name: str

class Account(EventSourcedAggregate):
    aggregate_type = "Account"
    name: str = ""

    def open(self, name):
        self.add_event(Opened(name=name))

    def apply_opened(self, event):
        self.name = event.name

outcome = given(Account, "1").when(lambda account: account.open("ann")).then(Opened(name="ann"))
store = MemoryEventStore()
store.append(outcome.aggregate.stream, outcome.aggregate.uncommitted_events)
[recorded] = store.read_stream(outcome.aggregate.stream)
stream, event = domain_event_from_json(recorded_event_to_json(recorded))
print(stream, event)
"""


def test_an_aggregate_is_tested_without_settings():
    assert run(DOMAIN) == "Account-1 Opened(name='ann')\n"
