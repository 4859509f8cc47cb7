"""A file to export to, which is there when it is complete, and not before."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol, TextIO, cast

from .errors import FileUnwritable


class Writable(Protocol):
    def write(self, text: str, /) -> object: ...


@contextmanager
def open_target(path: Path | None, otherwise: Writable) -> Iterator[Writable]:
    """UTF-8 with the line ends that are written; gzip where the name ends with .gz, the same bytes
    for the same text. Raises FileUnwritable."""
    if path is None:
        yield otherwise
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as raw:
            if path.suffix == ".gz":
                with (
                    gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
                    _text(cast("IO[bytes]", packed)) as out,
                ):
                    yield out
            else:
                with _text(raw) as out:
                    yield out
        part.replace(path)
    except OSError as error:
        raise FileUnwritable(str(error)) from error


def _text(data: IO[bytes]) -> TextIO:
    return io.TextIOWrapper(data, encoding="utf-8", newline="")
