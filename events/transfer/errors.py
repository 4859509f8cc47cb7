"""What is wrong with a whole file, and not with one of its rows."""

from __future__ import annotations

from ..exceptions import EventsError


class FileUnreadable(EventsError):
    """The file can't be read, or not to its end. What was stored of it stays."""


class FileUnwritable(EventsError):
    """The file can't be written, or not to its end. An older one of its name is as it was."""
