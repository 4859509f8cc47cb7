"""`made_ahead`: a thread that makes values before they are asked for."""

from __future__ import annotations

import threading
from contextlib import closing
from itertools import count

import pytest

from events.transfer.ahead import made_ahead
from tests.processes import eventually


def threads():
    return [each for each in threading.enumerate() if each.name == "events-read-ahead"]


def test_values_come_in_their_order():
    assert list(made_ahead(range(1_000))) == list(range(1_000))
    assert list(made_ahead([])) == []


def test_what_is_raised_comes_behind_the_values_before_it():
    def values():
        yield 1
        raise ValueError("no more")

    made = made_ahead(values())
    assert next(made) == 1
    with pytest.raises(ValueError, match="no more"):
        next(made)
    assert threads() == []


def test_values_are_made_while_others_are_used_but_not_too_many():
    made = []

    def values():
        for number in count():
            made.append(number)
            yield number

    with closing(made_ahead(values(), most=2)) as ahead:
        assert next(ahead) == 0
        eventually(lambda: len(made) >= 4)
        assert next(ahead) == 1
        # One in use, two that wait, one that waits to wait.
        eventually(lambda: made == [0, 1, 2, 3, 4])
    assert threads() == []
    assert made == [0, 1, 2, 3, 4]
