"""A reader tails the log while several processes append, roll back and pause: it misses nothing.

Other ways to read are tried on the same log, or the test would prove nothing. A naive reader asks
for what is behind its checkpoint, and loses events. A reader that waits for the oldest transaction
of the server loses none, and stands still: an unrelated write transaction is open all the time.

To run it longer: STRESS_APPENDS=5000 STRESS_SECONDS=600 STRESS_WRITERS=8 pytest on this file.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction

from events.store.appending import StreamAppend
from events.store.orm import OrmEventStore
from events.store.postgresql import PostgresEventStore
from tests.factories import cart, items
from tests.processes import eventually, new_event, new_number, running

#: Besides the steady one, which goes on until all others are done.
WRITERS = int(os.environ.get("STRESS_WRITERS", "4"))
#: Of each writer. It ends earlier when its time is over.
APPENDS = int(os.environ.get("STRESS_APPENDS", "40"))
SECONDS = float(os.environ.get("STRESS_SECONDS", "20"))
PAGE_SIZE = 50

OLDEST_TRANSACTION = "pg_snapshot_xmin(pg_current_snapshot())::xid::text::bigint"


@dataclass
class Progress:
    """What the processes tell each other while they run."""

    #: Position up to which the naive reader has read.
    naive_checkpoint: object = field(default_factory=new_number)
    rounds_of_reading: object = field(default_factory=new_number)
    writers_are_done: object = field(default_factory=new_event)


@dataclass
class Record:
    """What a writer tells at its end."""

    done: Counter = field(default_factory=Counter)
    committed: list = field(default_factory=list)
    #: Committed after the naive reader had gone past them.
    overtaken: list = field(default_factory=list)


class Writer:
    def __init__(self, store, name, progress):
        self.store = store
        self.name = name
        self.progress = progress
        self.random = random.Random(name)
        self.record = Record()

    def append_in_all_ways(self, appends):
        ways = (self.one, self.batch, self.several, self.pause, self.roll_back, self.roll_back_part)
        deadline = time.monotonic() + SECONDS
        # Each way at least once, then by chance.
        for way in [*ways, *self.random.choices(ways, (4, 2, 2, 3, 2, 2), k=appends - len(ways))]:
            if time.monotonic() < deadline:
                self.record.committed += way()
                self.record.done[way.__name__] += 1
        return self.record

    def append_steadily(self):
        """Waits for nobody, so that whoever waits to be overtaken will be."""
        while not self.progress.writers_are_done.is_set():
            self.record.committed += self._to_own_stream()
        return self.record

    def one(self):
        return self._to_any_stream(1)

    def batch(self):
        return self._to_any_stream(self.random.randint(2, 20))

    def several(self):
        appends = [StreamAppend(cart(f"{self.name}-{number}"), items(2)) for number in (3, 1, 2)]
        results = self.store.append_to_streams(appends)
        return [position for result in results for position in result.positions]

    def pause(self):
        with transaction.atomic():
            positions = [*self._to_any_stream(1), *self._to_own_stream(3)]
            self._wait_to_be_overtaken(positions)
            if self._is_overtaken(positions):
                self.record.overtaken += positions
        return positions

    def roll_back(self):
        with transaction.atomic():
            positions = [*self._to_any_stream(1), *self._to_own_stream(3)]
            if self.random.random() < 0.5:
                self._wait_to_be_overtaken(positions)
            transaction.set_rollback(True)
        return []

    def roll_back_part(self):
        with transaction.atomic():
            kept = self._to_own_stream(self.random.randint(0, 1))
            with transaction.atomic():
                self._to_own_stream(2)
                transaction.set_rollback(True)
            self._wait_for_readers()
            kept += self._to_own_stream(1)
            self._wait_for_readers()
        return kept

    def _to_own_stream(self, count=1):
        return list(self.store.append(cart(self.name), items(count)).positions) if count else []

    def _to_any_stream(self, count):
        stream = cart(self.random.choice([self.name, "shared"]))
        return list(self.store.append(stream, items(count)).positions)

    def _is_overtaken(self, positions):
        return self.progress.naive_checkpoint.value > max(positions)

    def _wait_to_be_overtaken(self, positions):
        if isinstance(self.store, PostgresEventStore):
            eventually(lambda: self._is_overtaken(positions))
        else:  # which lets one append after the other commit
            self._wait_for_readers()

    def _wait_for_readers(self):
        enough = self.progress.rounds_of_reading.value + 2
        eventually(lambda: self.progress.rounds_of_reading.value >= enough)


def write(store_class, name, progress, appends):
    return Writer(store_class(), name, progress).append_in_all_ways(appends)


def write_steadily(store_class, progress):
    return Writer(store_class(), "steady", progress).append_steadily()


class Readers:
    """The one under test and the naive one, side by side."""

    def __init__(self, store, progress):
        self.store = store
        self.progress = progress
        self.next_position = 0
        self.read = []
        self.naively_read = []
        self.pages = 0

    def read_once(self):
        """Whether there was something to read."""
        page = self.store.read_page("$all", position=self.next_position, count=PAGE_SIZE)
        self.next_position = page.next_position
        self.read += [event.position for event in page.events]
        self.pages += bool(page.events)
        naive = self._positions_behind(self.progress.naive_checkpoint.value)
        self.naively_read += naive
        if naive:
            self.progress.naive_checkpoint.value = naive[-1]
        self.progress.rounds_of_reading.value += 1
        return bool(page.events or naive)

    def _positions_behind(self, checkpoint):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT position FROM events WHERE position > %s ORDER BY position LIMIT %s",
                [checkpoint, PAGE_SIZE],
            )
            return [row[0] for row in cursor.fetchall()]


def write_and_read(store_class, appends):
    """The readers and the records of the writers, the steady one last."""
    progress = Progress()
    readers = Readers(store_class(), progress)
    with ExitStack() as processes:
        steady = processes.enter_context(running(write_steadily, store_class, progress))
        writers = [
            processes.enter_context(running(write, store_class, f"writer-{n}", progress, appends))
            for n in range(WRITERS)
        ]
        while not all(writer.has_ended for writer in writers):
            readers.read_once()
        progress.writers_are_done.set()
        records = [writer.result() for writer in [*writers, steady]]
    while readers.read_once():
        pass
    return readers, records


def check_that_nothing_was_missed(readers, records):
    committed = sorted(position for record in records for position in record.committed)
    assert readers.read == committed
    assert readers.pages > WRITERS  # it was tailing, and didn't read all of it afterwards
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), max(position) FROM events")
        assert cursor.fetchone() == (len(committed), committed[-1])


@pytest.mark.postgresql
def test_a_tailing_reader_misses_nothing_repeats_nothing_and_is_not_stalled(second):
    with transaction.atomic(using=second):
        Group.objects.using(second).create(name="unrelated")
        readers, records = write_and_read(PostgresEventStore, APPENDS)
        with connections[second].cursor() as cursor:
            cursor.execute(
                "SELECT pg_current_xact_id()::xid::text::bigint,"
                f" {OLDEST_TRANSACTION},"
                f" (SELECT count(*) FROM events WHERE xmin::text::bigint < {OLDEST_TRANSACTION})"
            )
            unrelated, oldest, cautiously_read = cursor.fetchone()

        # With the unrelated transaction still open:
        check_that_nothing_was_missed(readers, records)
        assert oldest <= unrelated
        assert cautiously_read == 0

    done = sum((record.done for record in records), Counter())
    assert min(done[way] for way in ("pause", "roll_back", "roll_back_part")) >= WRITERS
    overtaken = {position for record in records for position in record.overtaken}
    lost = set(readers.read) - set(readers.naively_read)
    assert overtaken
    assert lost >= overtaken


def test_a_tailing_reader_of_the_orm_store_misses_nothing(transactional_db):
    readers, records = write_and_read(OrmEventStore, APPENDS // 4)

    check_that_nothing_was_missed(readers, records)
    assert readers.naively_read == readers.read  # positions become visible in their order
