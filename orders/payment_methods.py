"""What an order is paid with: the gateway's name for a card or an account, never its number."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from events.exceptions import InvalidInput
from events.limits import Limits

PaymentMethod: TypeAlias = Annotated[str, Limits(min_length=1, max_length=100)]

# ISO/IEC 7812: up to 19 digits; no card has fewer than 12.
_CARD_NUMBER = re.compile(r"(\d[ -]?){12,19}", re.ASCII)


def check_payment_method(payment_method: str) -> None:
    """Events can't be deleted, so a card number must not get into one. Raises InvalidInput."""
    if _CARD_NUMBER.fullmatch(payment_method):
        raise InvalidInput("payment_method", "looks like the number of a card, not a name for it")
