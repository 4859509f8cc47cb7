"""Sagas in the admin: a list and pages to be read, and what operators may do."""

from __future__ import annotations

from . import instances

__all__ = ["instances"]
