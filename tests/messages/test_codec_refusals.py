"""What doesn't fit is refused by the exact path of the field, on the way in and on the way out."""

from __future__ import annotations

import enum
from dataclasses import InitVar, dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Dict, Generic, List, Literal, NewType, Tuple, TypeVar  # noqa: UP035
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from events.codec import compile_codec
from events.exceptions import DecodingError, EncodingError, RegistrationError
from tests.messages.samples import Colour, Line, Money, Priority, Size, decode, encode, line, money

T = TypeVar("T")
UserId = NewType("UserId", str)


class Weight(enum.Enum):
    LIGHT = 0.5


@dataclass(frozen=True)
class Pair(Generic[T]):
    left: T


@dataclass(frozen=True)
class Tree:
    children: tuple[Tree, ...] = ()


@dataclass(frozen=True)
class Percentage:
    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 100:
            raise ValueError("a percentage is between 0 and 100")


@dataclass(frozen=True)
class Scaled:
    value: int
    factor: InitVar[int]


@dataclass(frozen=True)
class Discount(Money):
    """A nested dataclass is stored as its own fields, so a subclass would lose its name."""


class ShoutingText(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (str, 5, "field: expected str, got int 5"),
        (str, Colour.RED, "field: expected str, got Colour <Colour.RED: 'red'>"),
        (str, ShoutingText("a"), "field: expected str, got ShoutingText 'a'"),
        (str, None, "field: expected str, got NoneType None"),
        (int, True, "field: expected int, got bool True"),
        (int, Priority.LOW, "field: expected int, got Priority <Priority.LOW: 1>"),
        (int, 1.0, "field: expected int, got float 1.0"),
        (bool, 1, "field: expected bool, got int 1"),
        (float, "1", "field: expected float, got str '1'"),
        (float, True, "field: expected float, got bool True"),
        (float, float("nan"), "field: expected a finite float, got float nan"),
        (float, float("-inf"), "field: expected a finite float, got float -inf"),
        (Decimal, 1.5, "field: expected Decimal, got float 1.5"),
        (Decimal, Decimal("NaN"), "field: expected a finite Decimal, got Decimal Decimal('NaN')"),
        (Decimal, Decimal("sNaN"), "field: expected a finite Decimal, got Decimal Decimal('sNaN')"),
        (
            datetime,
            datetime(2026, 3, 1),  # noqa: DTZ001  (the point)
            "field: expected a datetime with an offset, got datetime "
            "datetime.datetime(2026, 3, 1, 0, 0)",
        ),
        (
            datetime,
            date(2026, 3, 1),
            "field: expected datetime, got date datetime.date(2026, 3, 1)",
        ),
        (date, datetime(2026, 3, 1, tzinfo=UTC), "field: expected date, got datetime datetime."),
        (UUID, str(UUID(int=1)), "field: expected UUID, got str '00000000-"),
        (Size, "S", "field: expected Size, got str 'S'"),
        (Literal["a", 1], True, "field: expected one of 'a', 1, got bool True"),
        (Literal["a", 1], [], "field: expected one of 'a', 1, got list []"),
        (list[int], (1,), "field: expected list, got tuple (1,)"),
        (tuple[int, ...], [1], "field: expected tuple, got list [1]"),
        (tuple[int, int], (1,), "field: expected tuple of 2, got tuple (1,)"),
        (dict[str, int], {1: 1}, "field: expected str keys, got int 1"),
        (dict[str, int], [], "field: expected dict, got list []"),
        (Money, Discount(Decimal(1)), "field: expected Money, got Discount Discount("),
        (Money, money(1.5), "field.amount: expected Decimal, got float 1.5"),
        (
            list[Line],
            [line(), line(sizes=(Size.SMALL, "L"))],
            "field[1].sizes[1]: expected Size, got str 'L'",
        ),
        (
            dict[str, tuple[Money, ...]],
            {"eur": (money(Decimal(1)), money(2))},
            "field.eur[1].amount: expected Decimal, got int 2",
        ),
        (tuple[str, int | None], ("a", "b"), "field[1]: expected int, got str 'b'"),
        (Any, {"a": [1, {2}]}, "field.a[1]: set isn't a JSON value"),
        (Any, {"a": {5: 1}}, "field.a: the key 5 isn't a string"),
        (Any, {"a": float("nan")}, "field.a: nan isn't a JSON number"),
        (Any, {"a": ["x\0"]}, "field.a[0]: holds a NUL character"),
        (Any, {"a": {"\ud800": 1}}, "field.a.'\\ud800': holds half of a surrogate pair at 0"),
        (Any, datetime(2026, 3, 1, tzinfo=UTC), "field: datetime isn't a JSON value"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_when_it_is_encoded(annotation, value, message):
    with pytest.raises(EncodingError) as caught:
        encode(annotation, value)
    assert str(caught.value).startswith(message)
    assert caught.value.field == message.partition(":")[0]
    assert not isinstance(caught.value, DecodingError)


@pytest.mark.parametrize(
    ("annotation", "stored", "message"),
    [
        (str, 5, "field: expected str, got int 5"),
        (int, "5", "field: expected int, got str '5'"),
        (int, 5.0, "field: expected int, got float 5.0"),
        (bool, 0, "field: expected bool, got int 0"),
        (float, "1", "field: expected float, got str '1'"),
        (Decimal, 1.5, "field: expected Decimal as string, got float 1.5"),
        (Decimal, "one", "field: expected Decimal as string, got str 'one'"),
        (datetime, "soon", "field: expected datetime as string, got str 'soon'"),
        (datetime, 0, "field: expected datetime as string, got int 0"),
        (date, "2026-02-30", "field: expected date as string, got str '2026-02-30'"),
        (time, "25:00", "field: expected time as string, got str '25:00'"),
        (UUID, "1", "field: expected UUID as string, got str '1'"),
        (Size, "XL", "field: expected one of 'S', 'L', got str 'XL'"),
        (Size, [], "field: expected one of 'S', 'L', got list []"),
        (Literal["a"], "b", "field: expected one of 'a', got str 'b'"),
        (list[int], {"0": 1}, "field: expected an array, got dict {'0': 1}"),
        (tuple[int, int], [1, 2, 3], "field: expected list of 2, got list [1, 2, 3]"),
        (dict[str, int], [], "field: expected dict, got list []"),
        (int | None, "x", "field: expected int, got str 'x'"),
        (Money, "1 EUR", "field: expected an object, got str '1 EUR'"),
        (Money, {"currency": "EUR"}, "field.amount: is missing"),
        (
            list[Line],
            [{"name": "a", "price": {"amount": 1}}],
            "field[0].price.amount: expected Decimal as string, got int 1",
        ),
        (dict[str, list[int]], {"a": [1, None]}, "field.a[1]: expected int, got NoneType None"),
    ],
)
def test_data_that_does_not_fit_is_refused_when_it_is_decoded(annotation, stored, message):
    with pytest.raises(DecodingError) as caught:
        decode(annotation, stored)
    assert str(caught.value).startswith(message)
    assert caught.value.field == message.partition(":")[0]


@pytest.mark.parametrize(
    ("annotation", "stored"),
    [
        (Decimal, "NaN"),
        (Decimal, "sNaN"),
        (Decimal, "-Infinity"),
        (float, float("inf")),
        pytest.param(float, 10**400, id="float-huge"),
        (datetime, "2026-03-01T12:00:00"),
        (Priority, True),
        (Priority, 1.0),
    ],
)
def test_decoding_gives_no_value_that_encoding_would_refuse(annotation, stored):
    with pytest.raises(DecodingError, match=r"^field: expected"):
        decode(annotation, stored)


def test_an_integer_that_no_float_can_hold_is_refused_by_name():
    with pytest.raises(EncodingError, match=r"^field: expected a finite float"):
        encode(float, 10**400)


def test_a_time_in_a_zone_is_refused_because_its_zone_would_be_lost():
    with pytest.raises(EncodingError, match=r"^field: expected a time"):
        encode(time, time(12, tzinfo=ZoneInfo("Europe/Oslo")))


@pytest.mark.parametrize("value", [(1, 2), Colour.RED, Priority.LOW, ShoutingText("a")])
def test_a_field_of_any_type_refuses_what_would_come_back_as_another_type(value):
    with pytest.raises(EncodingError, match=rf"^field\.a: {type(value).__name__} isn't a JSON"):
        encode(Any, {"a": value})


def test_a_value_object_that_refuses_its_stored_data_is_named():
    with pytest.raises(DecodingError, match=r"^field\[1\]: a percentage is between 0 and 100"):
        decode(list[Percentage], [{"value": 5}, {"value": 101}])


def test_a_refusal_shows_the_start_of_a_long_value_only():
    with pytest.raises(EncodingError) as caught:
        encode(int, "x" * 10_000)
    assert len(str(caught.value)) < 120


def test_unknown_keys_of_stored_data_are_ignored():
    stored = {"amount": "1", "currency": "EUR", "introduced_by_later_code": 1}
    assert decode(Money, stored) == Money(Decimal(1))


def test_a_missing_field_takes_its_default():
    assert decode(Money, {"amount": "1"}) == Money(Decimal(1), "EUR")


@pytest.mark.parametrize(
    "annotation",
    [
        bytes,
        object,
        list,
        tuple,
        dict,
        set[int],
        tuple[()],
        dict[int, str],
        int | str,
        int | str | None,
        Literal["a", None],
        Literal[Size.SMALL],
        Pair[int],
        T,
        UserId,
        Weight,
        type[int],
        List,  # noqa: UP006
        Tuple,  # noqa: UP006
        Dict,  # noqa: UP006
        list[bytes],
        dict[str, tuple[int, bytes]],
        Annotated[bytes, "a comment"],
    ],
    ids=str,
)
def test_a_field_that_cannot_be_stored_is_refused_when_its_codec_is_made(annotation):
    with pytest.raises(RegistrationError, match=r"^Sample\.field: "):
        encode(annotation, None)


def test_a_refused_field_of_a_nested_dataclass_is_named_with_its_class():
    @dataclass
    class Inner:
        content: bytes

    with pytest.raises(
        RegistrationError, match=r"^Sample\.field: .*Inner\.content: <class 'bytes'>"
    ):
        encode(list[Inner], [])


@dataclass(frozen=True)
class Forest:
    trees: list[Tree]


def test_a_dataclass_that_contains_itself_is_refused_by_name():
    with pytest.raises(RegistrationError, match=r"^Forest\.trees: Tree.* contains itself"):
        compile_codec(Forest)


def test_a_dataclass_whose_init_takes_more_than_its_fields_is_refused():
    with pytest.raises(RegistrationError, match=r"^Sample\.field: .*factor"):
        encode(Scaled, Scaled(1, factor=2))
