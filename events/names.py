"""The words of a name in CamelCase, for the names that are made from it."""

from __future__ import annotations

import re

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def lower_case(name: str, separator: str) -> str:
    """With "_", `HTTPUserRegistered` becomes `http_user_registered`."""
    return _WORD_START.sub(separator, name).lower()
