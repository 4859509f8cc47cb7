"""Amounts that know their currency. They never mix, and never lose a cent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal

from events.exceptions import InvalidInput

from .currencies import MINOR_UNIT_DIGITS

# With three decimal places these are the 15 digits that SQLite keeps of a number.
LIMIT = Decimal(10) ** 12
# Never the caller's, which may round to fewer digits.
_context = Context(prec=60, rounding=ROUND_DOWN)


class CurrencyMismatch(InvalidInput):
    """Amounts of different currencies can't be added or subtracted."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__("currency", f"{one} and {other} don't mix")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in whole minor units: 12.5 EUR is kept as 12.50, 12.505 EUR is refused.

    May be negative. Raises InvalidInput, with `amount` or `currency` as its field.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        digits = MINOR_UNIT_DIGITS.get(self.currency) if isinstance(self.currency, str) else None
        if digits is None:
            raise InvalidInput(
                "currency", f"{self.currency!r:.60} isn't a code of ISO 4217, such as EUR"
            )
        if type(self.amount) is not Decimal:
            raise InvalidInput("amount", f"expected Decimal, got {type(self.amount).__name__}")
        if not self.amount.is_finite():
            raise InvalidInput("amount", f"{self.amount} isn't a finite number")
        if self.amount.copy_abs() >= LIMIT:
            raise InvalidInput("amount", f"is not within {LIMIT:,f}")
        exact = _context.quantize(self.amount, Decimal(1).scaleb(-digits))
        if exact != self.amount:
            raise InvalidInput(
                "amount", f"{self.currency} has {digits} decimal places, {self.amount} has more"
            )
        # Without the sign of a negative zero, which would be stored as such.
        object.__setattr__(self, "amount", exact or exact.copy_abs())

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(Decimal(0), currency)

    @classmethod
    def total(cls, amounts: Iterable[Money]) -> Money:
        """Of at least one amount."""
        first, *others = amounts
        for each in others:
            first += each
        return first

    @property
    def is_positive(self) -> bool:
        return self.amount > 0

    def times(self, quantity: int) -> Money:
        return Money(_context.multiply(self.amount, quantity), self.currency)

    def __add__(self, other: Money) -> Money:
        self._require_same_currency(other)
        return Money(_context.add(self.amount, other.amount), self.currency)

    def __sub__(self, other: Money) -> Money:
        self._require_same_currency(other)
        return Money(_context.subtract(self.amount, other.amount), self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _require_same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency, other.currency)
