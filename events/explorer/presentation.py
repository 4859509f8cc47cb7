"""Stored values as text that people read. Templates escape it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

_LONG = 32
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{4}([0-9a-f]{8})", re.ASCII)


def moment(value: datetime) -> str:
    """To the millisecond, in the current time zone. Django's formats stop at minutes."""
    local = timezone.localtime(value)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03}"


def moment_column(field: str, title: Any) -> Callable[[Any, Any], str]:
    """A column for a ModelAdmin."""

    @admin.display(description=title)
    def column(self: Any, row: Any) -> str:
        return moment(getattr(row, field))

    return column


def badge(text: Any, tone: str = "quiet") -> SafeString:
    """`tone`: good, warning, bad, busy or quiet. The text must say it as well as the colour."""
    return format_html('<span class="explorer-badge is-{}">{}</span>', tone, text)


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def duration(value: timedelta) -> str:
    """Two units at most: `2 h 3 min`, `1.25 s`, `7 ms`."""
    seconds = value.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    parts, rest = [], round(seconds)
    for size, unit in (*_UNITS, (1, "s")):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def count_up_to(count: int, limit: int) -> str:
    """`999`, but `1,000+` where counting has stopped."""
    return f"{count:,}+" if count >= limit else f"{count:,}"


def shortened(name: str) -> str:
    """Ids that are ordered by time begin alike and end by chance: their end is kept."""
    name = _UUID.sub(r"…\1", name)
    return name if len(name) <= _LONG else f"{name[:16]}…{name[-8:]}"


def pretty_json(value: Any) -> str:
    """Indented; integers of any size stay exact. Half surrogates, which no page can hold, are
    escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=repr)
    return text.encode(errors="backslashreplace").decode()


def one_line(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text.encode(errors="backslashreplace").decode()
