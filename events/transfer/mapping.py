"""What a row says as an event: by columns that the caller names, or in the form of our exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

from ..codec import JsonObject
from ..envelope import past_event_from_json
from ..exceptions import DecodingError
from ..store.history import PastEvent
from ..streams import StreamName
from .exporting import CSV_COLUMNS
from .rows import Row, parsed_json


class Mapping(Protocol):
    @property
    def required(self) -> frozenset[str]:
        """Columns that a file must have."""

    def past_event(self, row: Row) -> PastEvent:
        """Raises InvalidInput naming the column of what can't be an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Names of columns, and how to read them. All others go into the data."""

    stream: str
    type: str
    time: str
    event_id: str | None = None
    correlation: str | None = None
    #: Holds the data, as a JSON object: then the other columns are left out.
    data: str | None = None
    #: Aggregate type of all streams. Without it, the column holds whole names: `Order-42`.
    category: str | None = None
    #: Of times without an offset.
    zone: tzinfo | None = None
    #: Of `strptime`; ISO 8601 without it.
    time_format: str | None = None
    #: Event ids are made in it, of the number of the row or of an id that is no UUID.
    namespace: UUID

    @property
    def required(self) -> frozenset[str]:
        names = (self.stream, self.type, self.time, self.event_id, self.correlation, self.data)
        return frozenset(name for name in names if name is not None)

    def past_event(self, row: Row) -> PastEvent:
        correlation = self.correlation and _text(row, self.correlation)
        return PastEvent(
            stream=self._stream(_text(row, self.stream)),
            event_id=self._event_id(row),
            event_type=_text(row, self.type),
            data=self._data(row),
            occurred_on=self._moment(_text(row, self.time)),
            metadata={"correlation_id": correlation} if correlation else {},
        )

    def _stream(self, name: str) -> StreamName:
        return StreamName(self.category, name) if self.category else StreamName.parse(name)

    def _event_id(self, row: Row) -> UUID:
        if self.event_id is None:
            return uuid5(self.namespace, f"row {row.number}")
        text = _text(row, self.event_id)
        if not text:
            raise DecodingError(self.event_id, "is empty")
        try:
            return UUID(text)
        except ValueError:
            return uuid5(self.namespace, f"id {text}")

    def _data(self, row: Row) -> JsonObject:
        if self.data is None:
            required = self.required
            return {name: value for name, value in row.values.items() if name not in required}
        value = _value(row, self.data)
        data = parsed_json(value, self.data) if isinstance(value, str) else value
        if not isinstance(data, dict):
            raise DecodingError(self.data, "isn't a JSON object")
        return data

    def _moment(self, text: str) -> datetime:
        try:
            if self.time_format is None:
                moment = datetime.fromisoformat(text)
            else:
                moment = datetime.strptime(text, self.time_format)  # noqa: DTZ007
        except ValueError as error:
            raise DecodingError(self.time, str(error)) from error
        if moment.utcoffset() is not None:
            return moment
        if self.zone is None:
            raise DecodingError(self.time, f"{text!r} has no offset from UTC, and no zone is given")
        return moment.replace(tzinfo=self.zone)


class Exported:
    """The mapping of files that `exporting` has written; in CSV, data and metadata are JSON."""

    required = frozenset(CSV_COLUMNS)

    def past_event(self, row: Row) -> PastEvent:
        values = {
            name: parsed_json(value, name)
            if name in ("data", "metadata") and isinstance(value, str)
            else value
            for name, value in row.values.items()
        }
        return past_event_from_json(values)


def namespace_of(name: str) -> UUID:
    """For event ids, the same for a name for ever."""
    return uuid5(NAMESPACE_URL, f"edda:import:{name}")


def _value(row: Row, column: str) -> Any:
    try:
        return row.values[column]
    except KeyError:
        raise DecodingError(column, "is missing") from None


def _text(row: Row, column: str) -> str:
    """Numbers of JSON may be ids."""
    value = _value(row, column)
    if type(value) is int:
        return str(value)
    if not isinstance(value, str):
        raise DecodingError(column, f"expected text, got {type(value).__name__}")
    return value
