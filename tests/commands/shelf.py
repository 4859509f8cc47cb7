"""Commands for the tests, and a bus of their own with handlers for them.

Functions at the top of a module, because other processes call them too.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from events.aggregates import EventSourcedAggregate
from events.command_bus import CommandBus
from events.command_records import CommandResult
from events.exceptions import CommandRefused
from events.limits import Limits
from events.messages import Command, DomainEvent
from events.models import CommandRecord
from events.registry import command, event
from events.repository import Repository
from events.store.configured import event_store
from events.streams import StreamName


@event("tests.BookShelved")
class BookShelved(DomainEvent):
    title: str


@command("tests.ShelveBook")
class ShelveBook(Command):
    shelf: str
    title: Annotated[str, Limits(min_length=1)]


@command("tests.ShelveBooks")
class ShelveBooks(Command):
    """Copies by title."""

    shelf: str
    titles: dict[str, int]


class ShelfIsFull(CommandRefused):
    code = "shelf_is_full"


class Shelf(EventSourcedAggregate):
    aggregate_type = "Shelf"

    titles: tuple[str, ...] = ()

    def shelve(self, title: str) -> None:
        if title == "one too many":
            raise ShelfIsFull("There is no room.", shelf=self.id, room=0)
        self.add_event(BookShelved(title=title))

    def apply_book_shelved(self, event: BookShelved) -> None:
        self.titles = (*self.titles, event.title)


shelves = Repository(Shelf)
bus = CommandBus()


@bus.handles(ShelveBook)
def shelve_book(command: ShelveBook) -> dict[str, Any]:
    shelf = shelves.find(command.shelf) or Shelf(command.shelf)
    shelf.shelve(command.title)
    return {"version": shelves.save(shelf)}


@bus.handles(ShelveBooks)
def shelve_books(command: ShelveBooks) -> None:
    shelf = shelves.find(command.shelf) or Shelf(command.shelf)
    for title in command.titles:
        shelf.shelve(title)
    shelves.save(shelf)


def shelve(shelf: str = "a", title: str = "Edda", command_id: UUID | None = None) -> CommandResult:
    return bus.dispatch(ShelveBook(shelf=shelf, title=title), command_id=command_id)


def titles(shelf: str = "a") -> list[str]:
    """In the log, in their order."""
    stream = StreamName("Shelf", shelf)
    return [recorded.data["title"] for recorded in event_store().read_stream(stream)]


def record_count() -> int:
    return CommandRecord.objects.count()
