"""Fields that tell something about a person, declared in their annotation:
`email: Annotated[str, Personal()]`.

The explorer hides what they hold until somebody who may see it says why. Stored data is not
touched, and application code reads it as ever.

Where nothing tells whether a value is personal, it is hidden: a field that a class with personal
fields doesn't have (any more), or data that isn't of the declared form.
"""

from __future__ import annotations

from .hiding import (
    HIDDEN,
    Hidden,
    fill_in,
    hide_in_event,
    hide_in_state,
    hide_in_text,
    hide_names,
    hide_values,
    personal_values,
)
from .shapes import Personal, personal_names, shape_of

__all__ = [
    "HIDDEN",
    "Hidden",
    "Personal",
    "fill_in",
    "hide_in_event",
    "hide_in_state",
    "hide_in_text",
    "hide_names",
    "hide_values",
    "personal_names",
    "personal_values",
    "shape_of",
]
