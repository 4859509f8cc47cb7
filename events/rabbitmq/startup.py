"""What is done at the start of a process whose settings name a broker. It connects to none."""

from __future__ import annotations

from ..exceptions import InvalidInput
from . import checks  # noqa: F401  (registers them)
from .conf import has_client


def start_using() -> None:
    """Wrong settings, and a missing client, are left to the checks to tell."""
    if not has_client():
        return
    from .relay import register_relay

    try:
        register_relay()
    except InvalidInput:
        return
