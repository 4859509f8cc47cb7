from __future__ import annotations

import itertools
import time
from uuid import RFC_4122, UUID

from events.identifiers import new_id


def test_an_id_is_a_uuid_of_version_7_with_the_time_in_front(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1_772_366_400_123_500_000)
    identifier = new_id()
    assert type(identifier) is UUID
    assert identifier.version == 7
    assert identifier.variant == RFC_4122
    assert identifier.int >> 80 == 1_772_366_400_123
    # Half a millisecond, in twelve bits.
    assert identifier.int >> 64 & 0xFFF == 1 << 11


def test_ids_are_in_the_order_of_their_time_within_a_millisecond_and_across(monkeypatch):
    start = 1_772_366_400_000_000_000 - 1_000_000
    clock = itertools.count(start, step=245)  # ns: the finest step that the format can tell
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(made)
    assert [str(identifier) for identifier in made] == sorted(map(str, made))


def test_ids_made_in_the_same_instant_are_different(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1_772_366_400_000_000_000)
    assert len({new_id() for _ in range(100_000)}) == 100_000


def test_the_end_of_a_millisecond_does_not_run_over_into_the_version(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1_772_366_400_123_999_999)
    identifier = new_id()
    assert identifier.version == 7
    assert identifier.int >> 80 == 1_772_366_400_123
