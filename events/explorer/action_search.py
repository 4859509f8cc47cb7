"""The search box of the operator log: `by:ada subscription:orders.mail`, exact, on indexes only."""

from __future__ import annotations

import shlex

from django.utils.translation import gettext as _

from .conditions import Condition, SearchError

_COLUMNS = {
    "subject": "subject",
    "by": "actor",
    "subscription": "subscription",
    "action": "action",
}


def conditions(text: str) -> list[Condition]:
    """The one that lets fewest rows through first. A word without a qualifier is a subject. Raises
    SearchError."""
    given: dict[str, str] = {}
    try:
        words = shlex.split(text)
    except ValueError:
        raise SearchError(_("A quotation mark is left open.")) from None
    for word in words:
        name, colon, value = word.partition(":")
        if not colon or name not in _COLUMNS:
            name, value = "subject", word
        if not value:
            raise SearchError(_("%(name)s has no value.") % {"name": name})
        if name in given:
            raise SearchError(_("%(name)s is given twice.") % {"name": f"{name}:"})
        given[name] = value
    return [
        Condition(values={column: given[name]})
        for name, column in _COLUMNS.items()
        if name in given
    ]
