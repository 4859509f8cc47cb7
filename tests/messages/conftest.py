from __future__ import annotations

import pytest

from events import registry
from events.registry import CommandTypes, EventTypes
from events.upcasting import UpcasterChain


@pytest.fixture
def event_types(monkeypatch):
    """The event classes that the test declares, and no others; none of them outlives it."""
    types = EventTypes(UpcasterChain())
    monkeypatch.setattr(registry, "event_types", types)
    return types


@pytest.fixture
def command_types(monkeypatch):
    types = CommandTypes()
    monkeypatch.setattr(registry, "command_types", types)
    return types
