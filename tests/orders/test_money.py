"""Amounts of money: exact, in minor units, and never of two currencies at once."""

from __future__ import annotations

import dataclasses
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.codec import compile_codec
from events.exceptions import DecodingError, InvalidInput
from orders.currencies import MINOR_UNIT_DIGITS
from orders.money import CurrencyMismatch, Money
from tests.orders.shop import eur


@dataclasses.dataclass(frozen=True)
class Bill:
    total: Money


codec = compile_codec(Bill)


CURRENCIES = sorted(MINOR_UNIT_DIGITS)


@st.composite
def moneys(draw, currencies=CURRENCIES):
    chosen = draw(st.sampled_from(currencies))
    units = draw(st.integers(-(10**11), 10**11))
    return Money(Decimal(units).scaleb(-MINOR_UNIT_DIGITS[chosen]), chosen)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("12.5", "EUR", "12.50 EUR"),
        ("12", "EUR", "12.00 EUR"),
        ("12.500", "EUR", "12.50 EUR"),
        ("1E+2", "EUR", "100.00 EUR"),
        ("-0", "EUR", "0.00 EUR"),
        ("100.00", "JPY", "100 JPY"),
        ("1.5", "KWD", "1.500 KWD"),
    ],
)
def test_an_amount_is_kept_in_whole_minor_units(amount, currency, expected):
    assert str(Money(Decimal(amount), currency)) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "field", "message"),
    [
        (Decimal("12.505"), "EUR", "amount", "EUR has 2 decimal places, 12.505 has more"),
        (Decimal("0.5"), "JPY", "amount", "JPY has 0 decimal places"),
        (Decimal("NaN"), "EUR", "amount", "NaN isn't a finite number"),
        (Decimal("-Infinity"), "EUR", "amount", "isn't a finite number"),
        (Decimal("1E+999999"), "EUR", "amount", "is not within 1,000,000,000,000"),
        (Decimal(-(10**12)), "EUR", "amount", "is not within"),
        (Decimal("1E-999999"), "EUR", "amount", "has more"),
        (12.5, "EUR", "amount", "expected Decimal, got float"),
        (True, "EUR", "amount", "expected Decimal, got bool"),
        (Decimal(1), "eur", "currency", "'eur' isn't a code of ISO 4217"),
        (Decimal(1), "XYZ", "currency", "'XYZ' isn't"),
        (Decimal(1), None, "currency", "None isn't"),
        (Decimal(1), ["EUR"], "currency", "isn't a code"),
    ],
)
def test_what_is_no_amount_of_money_is_refused_by_field(amount, currency, field, message):
    with pytest.raises(InvalidInput) as caught:
        Money(amount, currency)
    assert caught.value.field == field
    assert message in str(caught.value)


def test_money_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        eur("1").amount = Decimal(2)


def test_currencies_never_mix():
    for combine in (
        lambda: eur("1") + Money(Decimal(1), "USD"),
        lambda: eur("1") - Money.zero("USD"),
    ):
        with pytest.raises(CurrencyMismatch, match=r"EUR and USD don't mix"):
            combine()
    assert eur("1") != Money(Decimal(1), "USD")


def test_sums_and_products_are_exact():
    assert Money.total([eur("0.10"), eur("0.20"), eur("-0.05")]) == eur("0.25")
    assert eur("999999.99").times(1000) == eur("999999990.00")
    assert eur("1") - eur("1") == Money.zero("EUR")
    assert eur("0.01").is_positive
    assert not eur("0").is_positive


def test_a_product_beyond_the_limit_is_refused():
    with pytest.raises(InvalidInput, match="amount: is not within"):
        eur("999999999").times(10_000)


@given(moneys())
def test_the_codec_stores_money_and_reads_it_back(money):
    restored = codec.decode(codec.encode(Bill(money)))["total"]
    assert restored == money
    assert str(restored) == str(money)


@given(st.lists(moneys(["EUR"]), min_size=1, max_size=8))
def test_a_total_does_not_depend_on_the_order(amounts):
    assert Money.total(amounts) == Money.total(reversed(amounts))
    assert Money.total(amounts).amount == sum(each.amount for each in amounts)


def test_stored_money_that_cannot_be_is_refused_with_its_path():
    with pytest.raises(DecodingError) as caught:
        codec.decode({"total": {"amount": "1.005", "currency": "EUR"}})
    assert caught.value.field == "total.amount"


def test_the_decimal_context_of_the_caller_does_not_matter():
    with localcontext() as context:
        context.prec = 5
        assert str(Money(Decimal("12345678.90"), "EUR")) == "12345678.90 EUR"
        assert eur("12345678.90") + eur("0.01") == Money(Decimal("12345678.91"), "EUR")
