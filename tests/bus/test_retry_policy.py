from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.bus.retry import RetryPolicy
from events.exceptions import InvalidInput


def longest(least: float, most: float) -> float:
    return most


def shortest(least: float, most: float) -> float:
    return least


def test_delays_start_at_100_ms_and_double():
    policy = RetryPolicy()
    delays = [policy.delay_seconds(failed, uniform=longest) for failed in (1, 2, 3, 4)]
    assert delays == pytest.approx([0.1, 0.2, 0.4, 0.8])


def test_no_delay_is_longer_than_the_cap():
    policy = RetryPolicy(first_delay_seconds=1, factor=10, max_delay_seconds=50)
    delays = [policy.delay_seconds(failed, uniform=longest) for failed in (1, 2, 3, 100_000)]
    assert delays == [1, 10, 50, 50]


@pytest.mark.parametrize(("jitter", "least"), [(1, 0), (0.5, 0.2), (0.25, 0.3), (0, 0.4)])
def test_jitter_is_the_random_share_of_a_delay(jitter, least):
    policy = RetryPolicy(jitter=jitter)
    assert policy.delay_seconds(3, uniform=shortest) == pytest.approx(least)
    assert policy.delay_seconds(3, uniform=longest) == pytest.approx(0.4)


def test_delays_are_random_by_default():
    assert len({RetryPolicy().delay_seconds(10) for _ in range(20)}) > 1


@given(
    first=st.floats(0, 1e6),
    factor=st.floats(1, 1000),
    cap=st.floats(0, 1e9),
    jitter=st.floats(0, 1),
    failed=st.integers(1, 10_000),
)
def test_a_delay_is_never_negative_nor_above_the_cap(first, factor, cap, jitter, failed):
    policy = RetryPolicy(
        first_delay_seconds=first, factor=factor, max_delay_seconds=first + cap, jitter=jitter
    )
    assert 0 <= policy.delay_seconds(failed) <= first + cap


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attempts", 0),
        ("attempts", True),
        ("attempts", 1.5),
        ("first_delay_seconds", -0.1),
        ("first_delay_seconds", "1"),
        ("first_delay_seconds", float("nan")),
        ("factor", 0.5),
        ("factor", False),
        ("max_delay_seconds", 0.05),
        ("max_delay_seconds", float("inf")),
        ("jitter", -0.1),
        ("jitter", 1.1),
        ("jitter", None),
        ("never_for", ValueError),
        ("never_for", ("ValueError",)),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(field, value):
    with pytest.raises(InvalidInput) as refusal:
        RetryPolicy(**{field: value})
    assert refusal.value.field == field


def test_there_is_no_delay_before_the_first_attempt():
    with pytest.raises(InvalidInput, match="failed_attempts"):
        RetryPolicy().delay_seconds(0)
