"""One spelling for each e-mail address, and one owner (docs/adr/0005)."""

from __future__ import annotations

import unicodedata
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from events.exceptions import InvalidInput

from .exceptions import EmailTaken
from .models import EmailClaim


def normalised(email: str) -> str:
    """Without surrounding space, composed (NFC) and in lower case. Raises InvalidInput.

    The part before the @ may be case-sensitive by RFC 5321; no mailbox in use tells such twins
    apart, but people who register twice do.
    """
    address = unicodedata.normalize("NFC", email.strip()).lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise InvalidInput("email", f"{email!r} isn't an e-mail address") from error
    return address


def claim(email: str, user_id: UUID) -> None:
    """Inside the transaction of the registration. Raises EmailTaken.

    Waits while another transaction claims the same address, and goes by how that one ends.
    """
    EmailClaim.objects.bulk_create(
        [EmailClaim(email=email, user_id=user_id)], ignore_conflicts=True
    )
    if EmailClaim.objects.get(email=email).user_id != user_id:
        raise EmailTaken(email)
