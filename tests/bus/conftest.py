from __future__ import annotations

import pytest

from events.bus.memory import InMemoryEventBus

from .samples import Pauses, bus_with


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def bus(pauses: Pauses) -> InMemoryEventBus:
    return bus_with(pauses)
