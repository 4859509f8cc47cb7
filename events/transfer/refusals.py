"""The file in which refused rows are listed: JSON Lines with line, reason and row."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from .rows import Refusal


class RefusalFile:
    """Made with the first refusal. That of an earlier run is removed at the start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, refusal: Refusal) -> None:
        if self._file is None:
            # A line at a time, so that a kill leaves no half of one.
            self._file = self.path.open("w", encoding="utf-8", buffering=1)
        # In ASCII: a refused row may hold what is no text.
        self._file.write(json.dumps(refusal._asdict(), default=str) + "\n")
