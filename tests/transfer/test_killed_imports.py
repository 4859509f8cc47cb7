"""An import that is killed has stored whole batches; the next one goes on behind them."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.processes import eventually, running

ROWS = 1_200
STREAMS = 40
KILLS = 2


@pytest.fixture
def store(transactional_db, store):
    """With commits that other processes see."""
    return store


def run_import(path):
    arguments = ("--stream", "s", "--type", "t", "--time", "at", "--batch-size", "20")
    out = io.StringIO()
    call_command("import_events", path, *arguments, stdout=out)
    return out.getvalue()


def count(store):
    return sum(1 for _ in store.read_log())


def has_grown(store, before):
    return count(store) > before


def test_an_import_killed_again_and_again_stores_each_event_once(store, folder: Path):
    path = folder / "log.jsonl"
    rows = [
        {"s": f"Case-{n * 7 % STREAMS}", "t": "Told", "at": "2020-01-01T00:00Z", "n": n}
        for n in range(ROWS)
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    stored = 0
    for _ in range(KILLS):
        with running(run_import, str(path)) as process:
            eventually(partial(has_grown, store, stored), seconds=60)
            process.kill()
        before, stored = stored, count(store)
        assert before < stored < ROWS

    out = run_import(str(path))

    found = [event.data["n"] for event in store.read_log()]
    assert found == list(range(ROWS))
    assert f"{ROWS:,} were stored before" in run_import(str(path))
    assert not out.startswith(("0 ", f"{ROWS:,} "))
    for number in range(STREAMS):
        numbers = [e.sequence_number for e in store.read_page(f"Case-{number}", count=500).events]
        assert numbers == list(range(ROWS // STREAMS))
