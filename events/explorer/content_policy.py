"""Nothing inline and nothing from elsewhere runs on a page of the explorer: events hold text that
anybody may have typed.

The header is set for these pages alone, so that a host's own pages stay as they are. A host whose
admin theme needs more says so in `EVENTS["explorer_content_policy"]`; one that sets a policy of its
own on a response is not overruled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import URLPattern

from ..conf import events_settings

HEADER = "Content-Security-Policy"

View = Callable[..., HttpResponseBase]


def with_content_policy(view: View) -> View:
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(*args, **kwargs)
        policy = events_settings().explorer_content_policy
        if policy and HEADER not in response:
            response[HEADER] = policy
        return response

    return guarded


def guarded(patterns: list[URLPattern]) -> list[URLPattern]:
    """The same addresses, with the header in what they answer."""
    for pattern in patterns:
        pattern.callback = with_content_policy(pattern.callback)
    return patterns
