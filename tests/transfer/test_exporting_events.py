"""`manage.py export_events`, and the way back by `import_events`: byte for byte the same."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from django.db import connection

from events.context import message_context
from events.store import schema
from events.streams import StreamName
from tests.factories import cart, items, measured, past

pytestmark = pytest.mark.django_db

VALUES = [
    "line\nbreak\r\n\ttab \x7f \u2028 \\ \\u0000 \"quotes\", 'and' commas; 世界 🎈",
    {"z": 1, "a": {"": None, "ключ": [True, False]}},
    [0.1, 1e22, -0.0, 5e-324, 10**40, -(2**63), 1.0],
    "=1+1",
    "",
]


@pytest.fixture
def history(store):
    with message_context(user_id="u", tenant="Ä", causation_id="a,b\n"):
        for number, value in enumerate(VALUES):
            store.append(cart(number % 2), [measured(value, metadata={"free": value})])
    store.append(StreamName("Odd", 'a "b", c\\-d'), items(3))
    store.append_history([past(7, stream=StreamName("Case", "1"), event_version=3)])
    return store


def empty_the_log():
    if connection.vendor == "sqlite":
        with schema.sqlite_triggers_suspended(connection), connection.cursor() as cursor:
            for table in ("events", "aggregate_versions"):
                cursor.execute(f"DELETE FROM {table}")
    else:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE events, aggregate_versions")


@pytest.mark.parametrize("name", ["log.jsonl", "log.csv", "log.jsonl.gz", "log.csv.gz"])
def test_an_export_comes_back_byte_for_byte(history, run, name):
    run("export_events", name)
    exported = Path(name).read_bytes()
    before = list(history.read_log())
    empty_the_log()

    assert f"{len(before)} events stored" in run("import_events", name)

    run("export_events", name)
    assert Path(name).read_bytes() == exported
    after = list(history.read_log())
    assert [(e.event_id, e.stream, e.sequence_number) for e in after] == [
        (e.event_id, e.stream, e.sequence_number) for e in before
    ]
    assert [(e.data, e.metadata, e.occurred_on) for e in after] == [
        (e.data, e.metadata, e.occurred_on) for e in before
    ]
    assert f"{len(before)} were stored before" in run("import_events", name)


def test_a_bigger_log_in_batches_comes_back_too(store, run):
    chance = random.Random(4)
    store.append_history([past(n, stream=cart(chance.randrange(50))) for n in range(1, 2_501)])
    run("export_events", "log.jsonl")
    exported = Path("log.jsonl").read_bytes()
    empty_the_log()

    run("import_events", "log.jsonl", "--batch-size", "700")

    run("export_events", "log.jsonl")
    assert Path("log.jsonl").read_bytes() == exported


def documents(text):
    return [json.loads(line) for line in text.removesuffix("\n").split("\n")]


def test_a_line_holds_the_event_but_not_its_place_unless_asked_for(history, run):
    (plain, *_) = documents(run("export_events"))
    (placed, *_) = documents(run("export_events", "--with-place"))
    first = next(history.read_log())

    assert plain["data"] == first.data
    assert placed == plain | {
        "position": first.position,
        "sequenceNumber": 0,
        "recordedAt": first.recorded_at.isoformat(),
    }
    assert "position" not in plain


def test_an_export_with_places_can_be_imported(history, run):
    run("export_events", "log.csv", "--with-place")
    assert "were stored before" in run("import_events", "log.csv")


def ids(text):
    return [document["eventId"] for document in documents(text)]


def stored_ids(events):
    return [str(event.event_id) for event in events]


def test_a_category_a_stream_or_a_range_of_positions_is_exported(history, run):
    everything = list(history.read_log())
    first, last = everything[2].position, everything[4].position

    assert ids(run("export_events", "--category", "Cart")) == stored_ids(everything[:5])
    assert ids(run("export_events", "--stream", "Cart-cart-1")) == stored_ids(
        history.read_stream(cart(1))
    )
    assert ids(run("export_events", "--from-position", first, "--to-position", last)) == stored_ids(
        everything[2:5]
    )
    assert ids(run("export_events", "--category", "Cart", "--from-position", last)) == stored_ids(
        everything[4:5]
    )


def test_csv_has_a_header_and_a_row_for_each_event(history, run):
    rows = list(csv.DictReader(io.StringIO(run("export_events", "--format", "csv"), newline="")))

    assert len(rows) == 9
    assert [row["aggregateType"] for row in rows] == ["Cart"] * 5 + ["Odd"] * 3 + ["Case"]
    assert json.loads(rows[0]["data"]) == {"reading": VALUES[0]}


def test_an_empty_log_gives_an_empty_file(store, run):
    assert run("export_events") == ""


def test_an_export_that_is_interrupted_leaves_the_file_as_it_was(history, run, monkeypatch):
    run("export_events", "log.jsonl.gz")
    before = Path("log.jsonl.gz").read_bytes()
    monkeypatch.setattr("events.transfer.exporting._json", lambda document: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        run("export_events", "log.jsonl.gz")

    assert Path("log.jsonl.gz").read_bytes() == before
    assert gzip.decompress(before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("log.xml",), "--format"),
        (("--stream", "Cart"), "Category-id"),
        (("--stream", "Cart-1", "--from-position", "3"), "--stream"),
        (("--category", "a-b"), "a-b"),
        (("nowhere/log.csv",), "nowhere"),
    ],
    ids=str,
)
def test_what_can_not_be_exported_is_refused(history, run, arguments, message):
    with pytest.raises(CommandError, match=message):
        run("export_events", *arguments)
