"""A list or dict in an event belongs to the event: an aggregate that changes its own copy of it
changes neither what is about to be stored nor what others read."""

from __future__ import annotations

from typing import Any

import pytest

from events.aggregates import EventSourcedAggregate
from events.messages import DomainEvent
from events.registry import event
from events.repository import Repository
from events.store.base import EventStore


@event("tests.NotesTaken")
class NotesTaken(DomainEvent):
    notes: list[str]
    details: Any


@event("tests.NoteAdded")
class NoteAdded(DomainEvent):
    note: str


class Notebook(EventSourcedAggregate):
    aggregate_type = "Notebook"
    snapshot_every = 0

    notes: list[str]
    details: Any

    def apply_notes_taken(self, event: NotesTaken) -> None:
        self.notes = event.notes
        self.details = event.details

    def apply_note_added(self, event: NoteAdded) -> None:
        self.notes.append(event.note)
        self.details["last"] = event.note


@pytest.fixture
def notebooks(any_store: EventStore) -> Repository[Notebook]:
    return Repository(Notebook, store=any_store)


def written(aggregate_id: str) -> Notebook:
    notebook = Notebook(aggregate_id)
    notebook.add_event(NotesTaken(notes=["a"], details={}))
    return notebook


def test_each_load_starts_from_what_is_stored(notebooks: Repository[Notebook]):
    notebook = written("1")
    notebooks.save(notebook)
    notebook.add_event(NoteAdded(note="b"))
    notebooks.save(notebook)
    for _ in range(3):
        loaded = notebooks.load("1")
        assert (loaded.notes, loaded.details) == (["a", "b"], {"last": "b"})


def test_reading_an_event_again_gives_what_is_stored(notebooks):
    notebooks.save(written("1"))
    stream = written("1").stream
    [first] = notebooks.store.read_stream(stream)
    first.data["notes"].append("x")
    first.event.notes.append("y")
    [again] = notebooks.store.read_stream(stream)
    assert again.data == {"notes": ["a"], "details": {}}
    assert again.event.notes == ["a"]


def test_a_change_of_the_state_before_the_save_is_not_stored_as_part_of_the_event(
    notebooks: Repository[Notebook],
):
    notebook = written("1")
    notebook.add_event(NoteAdded(note="b"))
    notebooks.save(notebook)
    [first, _] = notebooks.store.read_stream(notebook.stream)
    assert first.data == {"notes": ["a"], "details": {}}
