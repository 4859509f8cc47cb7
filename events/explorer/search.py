"""The search box of the events: `type:UserRegistered stream:User-42 since:24h`, exact, and on
indexes only, or within what an index narrows down.

A value with a space or a quotation mark in it is quoted; `"` and `\\` in quotes have a `\\` before
them. A word without a qualifier is located by `bare_words`, which puts the qualifier there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from ..exceptions import InvalidInput
from ..streams import StreamName
from .conditions import Condition, SearchError, Times
from .json_fields import MAX_INDEXED_LENGTH, JsonField, is_indexed
from .moments import parse_moment

#: The qualifier of a word that has none.
BARE = ""

_TERM = re.compile(r'(?:([^\s:"]*):)?(?:"((?:[^"\\]|\\.)*)"|(\S*))\s*')
_PLAIN = re.compile(r'[^\s"]+')


def _event_id(value: str) -> Condition:
    try:
        return Condition(values={"event_id": UUID(value)})
    except ValueError:
        raise SearchError(_("id: %(value)s isn't a UUID.") % {"value": value}) from None


def _stream(value: str) -> Condition:
    try:
        stream = StreamName.parse(value)
    except InvalidInput as error:
        raise SearchError(_("stream: %(reason)s.") % {"reason": error.reason}) from None
    return Condition(
        values={"aggregate_type": stream.aggregate_type, "aggregate_id": stream.aggregate_id},
        # Within a stream the same order as that of positions.
        ordering=["-sequence_number"],
    )


def _category(value: str) -> Condition:
    return Condition(values={"aggregate_type": value})


def _json(field: JsonField, value: str, shown_name: str) -> Condition:
    if len(value) >= MAX_INDEXED_LENGTH:
        raise SearchError(_("%(name)s: the value is too long.") % {"name": shown_name})
    return Condition(
        values={field.alias: value},
        annotations={field.alias: field.expression()},
        unserved="" if is_indexed(field) else str(field),
    )


# In the order of how few rows they let through. Fields of JSON come before types.
_FEW: Mapping[str, Callable[[str], Condition]] = {
    "id": _event_id,
    "stream": _stream,
    "cause": lambda value: Condition(values={"causation_id": value}),
    "correlation": lambda value: Condition(values={"correlation_id": value}),
}
_MANY: Mapping[str, Callable[[str], Condition]] = {
    "type": lambda value: Condition(values={"event_type": value}),
    "category": _category,
}
_BY, _TIMES = "by", ("since", "until")
ACTOR = JsonField(column="metadata", path=("user_id",))
_KNOWN = (*_FEW, *_MANY, _BY, *_TIMES, "data.…", "metadata.…")


def parse(text: str) -> dict[str, str]:
    """Qualifier -> value. Raises SearchError."""
    terms: dict[str, str] = {}
    rest = text.strip()
    while rest:
        match = _TERM.match(rest)
        assert match, "the pattern takes any text"
        qualifier, quoted, plain = match.groups()
        value = re.sub(r"\\(.)", r"\1", quoted) if plain is None else plain
        _check(terms, BARE if qualifier is None else qualifier, value, match[0])
        terms[qualifier or BARE] = value
        rest = rest[match.end() :]
    return terms


def conditions(terms: Mapping[str, str]) -> list[Condition]:
    """Raises SearchError for a value that isn't of its qualifier's form, and for a bare word,
    since one that names something has been located before."""
    if BARE in terms:
        raise SearchError(_("Nothing in the log is named “%(word)s”.") % {"word": terms[BARE]})
    few = [make(terms[name]) for name, make in _FEW.items() if name in terms]
    fields = [_json(field, terms[name], name) for name, field in json_fields(terms).items()]
    many = [make(terms[name]) for name, make in _MANY.items() if name in terms]
    times = _times(terms)
    return [*few, *fields, *many, *([times] if times else [])]


def json_fields(terms: Mapping[str, str]) -> dict[str, JsonField]:
    """Of the qualifiers that name one."""
    fields = {name: ACTOR if name == _BY else JsonField.parse(name) for name in terms}
    return {name: field for name, field in fields.items() if field is not None}


def _times(terms: Mapping[str, str]) -> Times | None:
    moments: dict[str, datetime] = {}
    for name in _TIMES:
        if name in terms:
            moment = parse_moment(terms[name])
            if moment is None:
                raise SearchError(
                    _("%(name)s: %(value)s is neither an age like 24h nor a time like 2026-03-01.")
                    % {"name": name, "value": terms[name]}
                )
            moments[name] = moment
    if not moments:
        return None
    return Times(since=moments.get("since"), until=moments.get("until"))


def to_text(terms: Mapping[str, str]) -> str:
    """The way back from `parse`."""
    return " ".join(
        f"{name}:{_quoted(value)}" if name else _quoted(value) for name, value in terms.items()
    )


def _check(terms: Mapping[str, str], qualifier: str, value: str, text: str) -> None:
    if text.startswith(":") or (qualifier and not _is_known(qualifier)):
        raise SearchError(
            _("“%(name)s:” is unknown. Known are %(known)s — quote a value that has a colon.")
            % {"name": qualifier, "known": " ".join(f"{name}:" for name in _KNOWN)}
        )
    if not value:
        raise SearchError(_("%(name)s has no value.") % {"name": text.strip()})
    if qualifier in terms:
        raise SearchError(
            _("%(name)s is given twice.") % {"name": f"{qualifier}:"}
            if qualifier
            else _("Only one word can go without a qualifier; put a value with spaces in quotes.")
        )


def _is_known(qualifier: str) -> bool:
    return qualifier in _KNOWN or JsonField.parse(qualifier) is not None


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value) and ":" not in value:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
