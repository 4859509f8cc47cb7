"""Data of an old version becomes the current event when it is read, and stays what it was."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from uuid import UUID

import pytest

from events import recorded_event as recorded_event_module
from events.exceptions import (
    DecodingError,
    RegistrationError,
    UnknownEventType,
    UpcastingFailed,
)
from events.messages import DomainEvent
from events.recorded_event import RecordedEvent
from events.registry import EventTypes, event
from events.upcasting import UpcasterChain

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def upcasters(event_types: EventTypes, monkeypatch) -> UpcasterChain:
    monkeypatch.setattr(recorded_event_module, "event_types", event_types)

    @event("tests.Moved", version=3)
    class Moved(DomainEvent):
        street: str
        number: int
        country: str

    return event_types.upcasters


def split_street(data):
    data["street"], _, number = data.pop("address").rpartition(" ")
    data["number"] = int(number)
    return data


def add_country(data):
    return {**data, "country": "IS"}


def recorded(version, data) -> RecordedEvent:
    return RecordedEvent(
        position=1,
        aggregate_type="Person",
        aggregate_id="1",
        sequence_number=0,
        event_id=UUID(int=1),
        event_type="tests.Moved",
        event_version=version,
        data=data,
        metadata={"correlation_id": "c", "causation_id": None, "user_id": None},
        occurred_on=MOMENT,
        recorded_at=MOMENT,
    )


def test_data_goes_through_each_version_up_to_the_current_one(upcasters):
    upcasters.register("tests.Moved", 1, split_street)
    upcasters.register("tests.Moved", 2, add_country)
    moved = recorded(1, {"address": "Laugavegur 7"}).event
    assert (moved.street, moved.number, moved.country) == ("Laugavegur", 7, "IS")
    assert (moved.event_id, moved.occurred_on) == (UUID(int=1), MOMENT)
    assert moved.metadata["correlation_id"] == "c"
    second = recorded(2, {"street": "Laugavegur", "number": 8}).event
    assert (second.number, second.country) == (8, "IS")


def test_data_of_the_current_version_is_not_touched(upcasters):
    moved = recorded(3, {"street": "Laugavegur", "number": 7, "country": "NO"}).event
    assert moved.country == "NO"


def test_the_recorded_event_still_shows_what_is_stored(upcasters):
    upcasters.register("tests.Moved", 1, split_street)
    upcasters.register("tests.Moved", 2, add_country)
    stored = {"address": "Laugavegur 7", "notes": ["left"]}
    read = recorded(1, copy.deepcopy(stored))
    assert read.event.number == 7
    assert read.data == stored
    assert read.event_version == 1


def test_a_hole_in_the_chain_is_named(upcasters):
    upcasters.register("tests.Moved", 1, split_street)
    with pytest.raises(UpcastingFailed) as caught:
        _ = recorded(1, {"address": "Laugavegur 7"}).event
    assert str(caught.value) == (
        "tests.Moved version 2 can't be upcast: no upcaster starts from this version"
    )
    assert (caught.value.event_type, caught.value.from_version) == ("tests.Moved", 2)


def test_an_upcaster_that_raises_is_named_with_its_error(upcasters):
    upcasters.register("tests.Moved", 1, split_street)
    with pytest.raises(
        UpcastingFailed, match=r"tests\.Moved version 1 .*KeyError\('address'\)"
    ) as caught:
        _ = recorded(1, {}).event
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_upcaster_that_returns_nothing_is_named(upcasters):
    upcasters.register("tests.Moved", 2, lambda data: data.update(country="IS"))
    with pytest.raises(UpcastingFailed, match=r"version 2 .*the upcaster returned None"):
        _ = recorded(2, {"street": "Laugavegur", "number": 8}).event


def test_upcast_data_that_does_not_fit_is_refused_by_path(upcasters):
    upcasters.register("tests.Moved", 2, lambda data: data | {"country": 354})
    with pytest.raises(DecodingError, match=r"^tests\.Moved\.country: expected str, got int 354$"):
        _ = recorded(2, {"street": "Laugavegur", "number": 8}).event


def test_two_upcasters_from_one_version_are_refused(upcasters):
    upcasters.register("tests.Moved", 1, split_street)
    with pytest.raises(RegistrationError, match=r"Two upcasters start from tests\.Moved version 1"):
        upcasters.register("tests.Moved", 1, add_country)


@pytest.mark.parametrize("version", [0, -1, "1", None])
def test_an_upcaster_from_a_version_that_cannot_be_is_refused(upcasters, version):
    with pytest.raises(RegistrationError, match=r"tests\.Moved"):
        upcasters.register("tests.Moved", version, split_street)


def test_the_missing_steps_of_a_chain_are_listed(upcasters):
    assert upcasters.missing_steps("tests.Moved", 3) == [1, 2]
    upcasters.register("tests.Moved", 1, split_street)
    assert upcasters.missing_steps("tests.Moved", 3) == [2]
    upcasters.register("tests.Moved", 2, add_country)
    assert upcasters.missing_steps("tests.Moved", 3) == []


# --- types and versions that no code knows ---


@pytest.mark.parametrize("version", [4, 100])
def test_a_version_from_newer_code_is_unknown(upcasters, version):
    with pytest.raises(
        UnknownEventType,
        match=rf"^No event class is registered for tests\.Moved version {version}\.$",
    ):
        _ = recorded(version, {}).event


def test_an_unknown_type_can_be_looked_at_but_not_typed(event_types, monkeypatch):
    monkeypatch.setattr(recorded_event_module, "event_types", event_types)
    unknown = recorded(1, {"address": "Laugavegur 7"})
    with pytest.raises(UnknownEventType) as caught:
        _ = unknown.event
    assert (caught.value.event_type, caught.value.event_version) == ("tests.Moved", 1)
    assert unknown.data == {"address": "Laugavegur 7"}
    assert str(unknown.stream) == "Person-1"
    assert "Laugavegur" in repr(unknown)


def test_an_event_is_decoded_once(upcasters):
    calls = []
    upcasters.register("tests.Moved", 2, lambda data: calls.append(1) or add_country(data))
    read = recorded(2, {"street": "Laugavegur", "number": 8})
    assert read.event is read.event
    assert calls == [1]
