"""What the code of this process makes of a stored event, which may be nothing."""

from __future__ import annotations

from dataclasses import dataclass

from ..exceptions import EventsError
from ..models import Event
from ..registry import event_types
from .presentation import pretty_json


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentForm:
    """The data after upcasting and the version that it has then; why it can't be read, if so."""

    version: int | None = None
    data: str | None = None
    problem: str | None = None


def current_form(event: Event) -> CurrentForm:
    """Never raises: upcasters and event classes are the host's code, and whatever they do, the
    stored event must be shown."""
    version = data = None
    try:
        current = event_types.current_data(event.event_type, event.event_version, event.event_data)
        cls = event_types.find(event.event_type)
        version = cls.event_version if cls else event.event_version
        data = pretty_json(current)
        event_types.decode(
            event.event_type,
            version,
            current,
            event_id=event.event_id,
            occurred_on=event.occurred_on,
            metadata=event.metadata,
        )
    except EventsError as error:
        return CurrentForm(version=version, data=data, problem=str(error))
    except Exception as error:
        return CurrentForm(version=version, data=data, problem=f"{type(error).__name__}: {error}")
    return CurrentForm(version=version, data=data)
