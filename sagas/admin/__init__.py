"""Sagas in the admin: a list and pages to be read, and what operators may do."""

from __future__ import annotations

from ..explorer import overview
from . import instances, timers

__all__ = ["instances", "overview", "timers"]
