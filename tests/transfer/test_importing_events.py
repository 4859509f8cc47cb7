"""`manage.py import_events`: logs of other systems, with their times, however dirty."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management.base import CommandError

from events.streams import StreamName
from events.transfer import source

pytestmark = pytest.mark.django_db

LOG = """\
case,task,at,who
1,T01 Open,2011-10-11 13:45:40.276+02:00,Ann
2,T01 Open,2011-10-11T11:45:41Z,Bob
1,"T02 Check, twice",2011-10-12 08:00:00,"Ann ""A"" Lee
of Leiden"
"""
COLUMNS = ("--stream", "case", "--category", "Case", "--type", "task", "--time", "at")
ZONE = ("--zone", "Europe/Amsterdam")


@pytest.fixture
def write(folder):
    def to_file(text, name="log.csv"):
        data = text if isinstance(text, bytes) else text.encode()
        (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return name

    return to_file


def log(store):
    return [(str(event.stream), event.event_type, event.data) for event in store.read_log()]


def refusals(name="log.csv.refused.jsonl"):
    lines = Path(name).read_text().splitlines()
    return [(refusal["line"], refusal["reason"]) for refusal in map(json.loads, lines)]


def refused(run, *arguments):
    with pytest.raises(CommandError, match="refused"):
        run("import_events", *arguments)
    return refusals()


def test_rows_become_events_of_their_streams_with_their_times(store, run, write):
    out = run("import_events", write(LOG), *COLUMNS, *ZONE)

    assert "3 events stored" in out
    assert log(store) == [
        ("Case-1", "T01 Open", {"who": "Ann"}),
        ("Case-2", "T01 Open", {"who": "Bob"}),
        ("Case-1", "T02 Check, twice", {"who": 'Ann "A" Lee\nof Leiden'}),
    ]
    assert [event.occurred_on for event in store.read_log()] == [
        datetime(2011, 10, 11, 11, 45, 40, 276000, tzinfo=UTC),
        datetime(2011, 10, 11, 11, 45, 41, tzinfo=UTC),
        datetime(2011, 10, 12, 6, tzinfo=UTC),
    ]
    assert "T01 Open" in out  # has no class
    assert not Path("log.csv.refused.jsonl").exists()


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "folder.d/log.csv"])
def test_a_second_run_stores_nothing_and_says_so(store, run, write, folder, name):
    (folder / "folder.d").mkdir()
    run("import_events", write(LOG), *COLUMNS, *ZONE)

    out = run("import_events", write(LOG, name), *COLUMNS, *ZONE, "--batch-size", "1")

    assert out.startswith("0 events stored")
    assert "3 were stored before" in out
    assert len(log(store)) == 3


def test_a_file_that_has_grown_gives_its_new_rows(store, run, write):
    run("import_events", write(LOG), *COLUMNS, *ZONE)
    out = run("import_events", write(LOG + "2,T02,2011-10-13T00:00Z,Bob\n"), *COLUMNS, *ZONE)

    assert "1 events stored" in out
    assert store.stream_version(StreamName("Case", "2")) == 1


def test_files_of_one_form_have_events_of_their_own_unless_a_namespace_joins_them(
    store, run, write
):
    run("import_events", write(LOG), *COLUMNS, *ZONE)
    run("import_events", write(LOG, "other.csv"), *COLUMNS, *ZONE)
    run("import_events", write(LOG, "third.csv"), *COLUMNS, *ZONE, "--namespace", "log.csv")

    assert len(log(store)) == 6


def test_event_ids_can_come_from_a_column(store, run, write):
    text = f"id,s,t,at\n{UUID(int=5)},Case-1,A,2020-01-01T00:00Z\nx-7,Case-1,B,2020-01-01T00:00Z\n"
    arguments = ("--stream", "s", "--type", "t", "--time", "at", "--event-id", "id")
    run("import_events", write(text), *arguments)
    header, *rows = text.splitlines()
    run("import_events", write("\n".join([header, *reversed(rows)])), *arguments)

    first, second = store.read_log()
    assert first.event_id == UUID(int=5)
    assert (first.event_type, second.event_type) == ("A", "B")
    assert first.data == second.data == {}


def test_json_lines_keep_their_values(store, run, write):
    text = '{"s": 4, "t": "A", "at": "2020-01-01T00:00Z", "n": [1, null], "of": "c"}\n\n'
    run(
        "import_events", write(text, "log.jsonl"), "--category", "Case", "--stream", "s",
        "--type", "t", "--time", "at", "--correlation", "of",
    )  # fmt: skip

    (event,) = store.read_log()
    assert (str(event.stream), event.data) == ("Case-4", {"n": [1, None]})
    assert event.metadata["correlation_id"] == "c"


def test_delimiter_encoding_time_format_and_data_column(store, run, write):
    text = 's\tt\tat\tdata\nCase-1\tÄ\t01.02.2020 10:00\t"{""a"": 1}"\n'.encode("latin-1")
    run(
        "import_events", write(text), "--delimiter", "tab", "--encoding", "latin-1",
        "--stream", "s", "--type", "t", "--time", "at", "--data", "data",
        "--time-format", "%d.%m.%Y %H:%M", "--zone", "UTC",
    )  # fmt: skip

    (event,) = store.read_log()
    assert (event.event_type, event.data) == ("Ä", {"a": 1})
    assert event.occurred_on == datetime(2020, 2, 1, 10, tzinfo=UTC)


BAD_ROWS = {
    "too few": ("3,T01", "has 2 values"),
    "too many": ("3,T01,2020-01-01T00:00Z,Ann,more", "has 5 values"),
    "no time": ("3,T01,,Ann", "at:"),
    "no offset": ("3,T01,2020-01-01 00:00,Ann", "at:"),
    "no such day": ("3,T01,2020-02-30T00:00Z,Ann", "at:"),
    "no stream": (",T01,2020-01-01T00:00Z,Ann", "aggregate_id"),
    "no type": ("3,,2020-01-01T00:00Z,Ann", "event_type"),
    "NUL": ("3,T01,2020-01-01T00:00Z,A\0n", "data.who"),
    "no UTF-8": (b"3,T01,2020-01-01T00:00Z,A\xffn", "data.who"),
    "bad quotes": ('3,T01,2020-01-01T00:00Z,"A"n', "isn't CSV"),
}


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_a_bad_row_is_listed_with_line_and_reason_and_the_others_are_stored(store, run, write, bad):
    row, reason = BAD_ROWS[bad]
    row = row if isinstance(row, bytes) else row.encode()
    head = LOG.replace("08:00:00", "08:00:00Z").encode()
    text = head + row + b"\n4,T01,2020-01-01T00:00Z,Eve\n"

    ((line, found),) = refused(run, write(text), *COLUMNS)

    assert line == 6  # of the file: one of the rows before has two lines
    assert reason in found
    assert [stream for stream, *_ in log(store)] == ["Case-1", "Case-2", "Case-1", "Case-4"]


def test_a_mended_row_is_stored_by_the_next_run_and_the_list_is_gone(store, run, write):
    broken = LOG.replace("2011-10-11T11:45:41Z", "yesterday")
    assert [line for line, _ in refused(run, write(broken), *COLUMNS, *ZONE)] == [3]

    out = run("import_events", write(LOG), *COLUMNS, *ZONE)

    assert "1 events stored" in out
    assert not Path("log.csv.refused.jsonl").exists()


def test_a_row_whose_id_is_of_another_event_is_refused(store, run, write):
    run("import_events", write(LOG), *COLUMNS, *ZONE)
    changed = LOG.replace("2,T01", "9,T01") + "5,T01,2020-01-01T00:00Z,Eve\n"

    ((line, reason),) = refused(run, write(changed), *COLUMNS, *ZONE)

    assert line == 3
    assert "belongs to another" in reason
    assert [stream for stream, *_ in log(store)] == ["Case-1", "Case-2", "Case-1", "Case-5"]


def test_of_two_rows_with_one_id_the_first_is_stored(store, run, write):
    text = "id,s,t,at\n7,Case-1,A,2020-01-01T00:00Z\n7,Case-2,A,2020-01-01T00:00Z\n"

    ((line, _),) = refused(
        run, write(text), "--stream", "s", "--type", "t", "--time", "at", "--event-id", "id"
    )

    assert line == 3
    assert [stream for stream, *_ in log(store)] == ["Case-1"]


def test_events_that_do_not_fit_their_class_are_refused_unless_unchecked(store, run, write):
    rows = [{"name": "pen", "quantity": 1}, {"name": "pen", "quantity": "many"}]
    text = "".join(
        json.dumps({"s": "Cart-1", "t": "tests.ItemAdded", "at": "2020-01-01T00:00Z", **row}) + "\n"
        for row in rows
    )
    arguments = (write(text, "log.jsonl"), "--stream", "s", "--type", "t", "--time", "at")
    with pytest.raises(CommandError, match="1 rows were refused"):
        run("import_events", *arguments)

    ((line, reason),) = refusals("log.jsonl.refused.jsonl")
    assert line == 2
    assert "tests.ItemAdded.quantity" in reason
    assert "1 events stored" in run("import_events", *arguments, "--unchecked")


def test_lines_that_are_no_json_objects_are_refused(store, run, write):
    good = '{"s": "Case-1", "t": "A", "at": "2020-01-01T00:00Z"}'
    text = "\n".join([good, "[1]", "{", good, "[" * 100_000, '{"s": "Case-1"}'])
    with pytest.raises(CommandError):
        run(
            "import_events", write(text, "log.jsonl"),
            "--stream", "s", "--type", "t", "--time", "at",
        )  # fmt: skip

    assert [line for line, _ in refusals("log.jsonl.refused.jsonl")] == [2, 3, 5, 6]
    assert len(log(store)) == 2


def test_of_a_file_that_is_cut_off_the_batches_before_are_stored(store, run, write, folder):
    rows = "".join(f"{n},T{n * n},2020-01-01T00:00Z,{n * 7919 % 10007}\n" for n in range(2_000))
    name = write(f"case,task,at,who\n{rows}", "log.csv.gz")
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: len(data) // 2])

    with pytest.raises(CommandError, match="After line"):
        run("import_events", name, *COLUMNS, "--batch-size", "100")

    stored = len(log(store))
    assert 0 < stored < 2_000
    (folder / name).write_bytes(data)
    assert f"{2_000 - stored:,} events stored" in run("import_events", name, *COLUMNS)


def test_a_line_without_an_end_does_not_fill_the_memory(run, write, monkeypatch):
    monkeypatch.setattr(source, "MAX_LINE_LENGTH", 1_000)

    with pytest.raises(CommandError, match="Line 2 has more than"):
        run("import_events", write("case,task,at,who\n" + "x" * 2_000), *COLUMNS)


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        (LOG, ("--stream", "case"), "--type, --time"),
        (LOG, (*COLUMNS, "--zone", "Mars/Olympus"), "--zone"),
        (LOG, (*COLUMNS, "--delimiter", ";;"), "--delimiter"),
        (LOG, (*COLUMNS, "--category", "a-b"), "a-b"),
        (LOG, (*COLUMNS, "--batch-size", "0"), "--batch-size"),
        (LOG, (*COLUMNS, "--encoding", "morse"), "morse"),
        (LOG, (*COLUMNS, "--type", "taks"), "taks"),
        ("", COLUMNS, "no header"),
        ("a,a\n", COLUMNS, "twice: a"),
    ],
    ids=str,
)
def test_what_is_asked_wrongly_is_refused_at_once(store, run, write, text, arguments, message):
    with pytest.raises(CommandError, match=message):
        run("import_events", write(text), *arguments)

    assert log(store) == []


def test_a_file_that_is_not_there_is_named(run):
    with pytest.raises(CommandError, match=r"nowhere\.csv"):
        run("import_events", "nowhere.csv", *COLUMNS)


def test_a_file_of_another_form_needs_to_say_which(run, write):
    with pytest.raises(CommandError, match="--format"):
        run("import_events", write(LOG, "log.txt"), *COLUMNS)
    assert "3 events" in run("import_events", "log.txt", *COLUMNS, *ZONE, "--format", "csv")
