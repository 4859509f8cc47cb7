"""A file to import from: plain or gzip, line by line, and how much of it has been read."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import FileUnreadable

# A line is held in memory as a whole.
MAX_LINE_LENGTH = 32 * 2**20
_GZIP = b"\x1f\x8b"


class Source:
    """Its lines, with their ends. What isn't text in its encoding becomes half surrogate pairs,
    which no event can hold: so the row is refused, not the file."""

    def __init__(self, raw: io.BufferedReader, encoding: str, size: int) -> None:
        self._raw = raw
        self._size = size
        data = gzip.GzipFile(fileobj=raw) if raw.peek(2).startswith(_GZIP) else raw
        self._text = io.TextIOWrapper(data, encoding, errors="surrogateescape", newline="")
        #: Of the line that was read last, from 1.
        self.line_number = 0

    @property
    def share(self) -> float:
        """From 0 to 1, of the bytes of the file."""
        return min(self._raw.tell() / self._size, 1.0) if self._size else 1.0

    def __iter__(self) -> Iterator[str]:
        """Raises FileUnreadable where the file is damaged or cut off."""
        while line := self._read_line():
            self.line_number += 1
            if len(line) > MAX_LINE_LENGTH:
                raise FileUnreadable(
                    f"Line {self.line_number} has more than {MAX_LINE_LENGTH:,} characters."
                )
            yield line

    def _read_line(self) -> str:
        try:
            return self._text.readline(MAX_LINE_LENGTH + 1)
        except (EOFError, OSError, zlib.error, UnicodeError) as error:
            raise FileUnreadable(f"After line {self.line_number}: {error}") from error


@contextmanager
def open_source(path: Path, *, encoding: str = "utf-8-sig") -> Iterator[Source]:
    """Raises FileUnreadable."""
    try:
        codecs.lookup(encoding)
        raw = path.open("rb")
    except (LookupError, OSError) as error:
        raise FileUnreadable(str(error)) from error
    with raw:
        yield Source(raw, encoding, path.stat().st_size)


def plain_name(path: Path) -> str:
    """Of the file without its folder, the same whether it is compressed or not."""
    return path.name.removesuffix(".gz")
