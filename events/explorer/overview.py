"""What needs an operator now: tiles with numbers that lead on, and the rows behind them.

Other apps add theirs: a function of the site and the request that returns tiles, or sections, of
what this user may see. What it raises doesn't take the page with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, TypeAlias, TypeVar

from django.contrib.admin import AdminSite
from django.db import DatabaseError
from django.http import HttpRequest

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """`tone` as that of a badge: good, warning, bad, busy or quiet."""

    label: Any
    value: Any
    note: Any = ""
    tone: str = "quiet"
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    text: Any
    url: str | None = None
    tone: str = ""
    is_number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table, with what to say where it has no rows."""

    id: str
    title: Any
    columns: Sequence[Any]
    rows: Sequence[Sequence[Cell]] = field(default_factory=list)
    empty: Any = ""
    url: str | None = None

    @property
    def heads(self) -> list[tuple[Any, bool]]:
        """The columns, and which are of numbers."""
        first = self.rows[0] if self.rows else []
        return [
            (column, bool(cell and cell.is_number))
            for column, cell in zip_longest(self.columns, first)
        ]


TileFunction: TypeAlias = Callable[[AdminSite, HttpRequest], Sequence[Tile]]
SectionFunction: TypeAlias = Callable[[AdminSite, HttpRequest], Sequence[Section]]
PartT = TypeVar("PartT", Tile, Section)

_tiles: list[TileFunction] = []
_sections: list[SectionFunction] = []


def add_tiles(function: TileFunction) -> TileFunction:
    if function not in _tiles:
        _tiles.append(function)
    return function


def add_sections(function: SectionFunction) -> SectionFunction:
    if function not in _sections:
        _sections.append(function)
    return function


def overview_details(site: AdminSite, request: HttpRequest) -> dict[str, Any]:
    return {
        "crumbs_only": True,
        "tiles": _all(_tiles, site, request),
        "sections": _all(_sections, site, request),
    }


def _all(
    functions: Sequence[Callable[[AdminSite, HttpRequest], Sequence[PartT]]],
    site: AdminSite,
    request: HttpRequest,
) -> list[PartT]:
    found: list[PartT] = []
    for function in functions:
        try:
            found += function(site, request)
        except DatabaseError:
            raise
        except Exception:
            logger.exception("%s could not tell", function)
    return found
