from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import pytest

from events.exceptions import EncodingError, RegistrationError
from events.limits import Limits
from tests.messages.samples import Money, decode, encode

NAME = Annotated[str, Limits(min_length=2, max_length=4)]
SHARE = Annotated[Decimal, Limits(min_value=0, max_value=1, decimal_places=2)]


@pytest.mark.parametrize(
    ("annotation", "value", "reason"),
    [
        (NAME, "a", "is shorter than 2"),
        (NAME, "abcde", "is longer than 4"),
        (Annotated[tuple[int, ...], Limits(max_length=1)], (1, 2), "is longer than 1"),
        (Annotated[list[int], Limits(min_length=1)], [], "is shorter than 1"),
        (SHARE, Decimal("-0.01"), "is less than 0"),
        (SHARE, Decimal("1.01"), "is greater than 1"),
        (SHARE, Decimal("0.001"), "has more than 2 decimal places"),
        (Annotated[int, Limits(min_value=1)], 0, "is less than 1"),
        (Annotated[float, Limits(max_value=0.5)], 0.6, "is greater than 0.5"),
        (Annotated[int, Limits(min_value=1), Limits(max_value=9)], 10, "is greater than 9"),
        (Annotated[Annotated[int, Limits(min_value=1)], Limits(max_value=9)], -5, "is less than 1"),
        (NAME | None, "a", "is shorter than 2"),
    ],
)
def test_a_value_out_of_its_limits_is_refused(annotation, value, reason):
    with pytest.raises(EncodingError) as caught:
        encode(annotation, value)
    assert str(caught.value) == f"field: {reason}"


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (NAME, "ab"),
        (NAME, "abcd"),
        (SHARE, Decimal(0)),
        (SHARE, Decimal("1.00")),
        (SHARE, Decimal("1E-2")),
        (Annotated[Decimal, Limits(decimal_places=0)], Decimal("1E+3")),
        (NAME | None, None),
        pytest.param(Annotated[str | None, Limits(max_length=4)], None, id="length-of-None"),
        pytest.param(Annotated[int | None, Limits(min_value=4)], None, id="value-of-None"),
    ],
)
def test_a_value_within_its_limits_bounds_included_passes(annotation, value):
    assert decode(annotation, encode(annotation, value)) == value


def test_limits_of_elements_name_the_element():
    with pytest.raises(EncodingError, match=r"^field\[1\]: is shorter than 2$"):
        encode(list[NAME], ["ab", "c"])


def test_a_value_of_another_type_is_refused_for_its_type_first():
    with pytest.raises(EncodingError, match=r"^field: expected str, got int 5$"):
        encode(NAME, 5)


def test_stored_data_is_not_held_to_limits_that_came_later():
    assert decode(NAME, "a name from before") == "a name from before"


@pytest.mark.parametrize(
    ("annotation", "limits"),
    [
        (int, Limits(max_length=4)),
        (str, Limits(min_value=1)),
        (str, Limits(decimal_places=2)),
        (int, Limits(decimal_places=2)),
        (Money, Limits(max_value=5)),
    ],
)
def test_limits_that_do_not_go_with_their_type_are_refused_at_the_declaration(annotation, limits):
    with pytest.raises(RegistrationError, match=r"^Sample\.field: "):
        encode(Annotated[annotation, limits], None)
