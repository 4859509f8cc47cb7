"""Fields that tell something about a person, declared in their annotation:
`email: Annotated[str, Personal()]`.

The explorer hides what they hold until somebody who may see it says why. Stored data is not
touched, and application code reads it as ever.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Personal:
    """Of a field of an event, of an attribute of an aggregate, or of a nested dataclass."""


class Hidden(str):
    """What stands in place of a hidden value. A string, so that it is valid JSON wherever the value
    was."""

    __slots__ = ()


HIDDEN = Hidden("•••")
