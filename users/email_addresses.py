"""One spelling for each e-mail address, and one owner (docs/adr/0005)."""

from __future__ import annotations

import unicodedata
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from events.exceptions import InvalidInput

from .exceptions import EmailTaken
from .models import EmailClaim

# RFC 5321, section 4.5.3.1.3, less the angle brackets.
MAX_LENGTH = 254


def normalised(email: str) -> str:
    """Without surrounding space, in its compatible form (NFKC) and in lower case. Raises
    InvalidInput. The compatible form, because full-width letters reach the same mailbox.

    The part before the @ may be case-sensitive by RFC 5321; no mailbox in use tells such twins
    apart, but people who register twice do.
    """
    address = unicodedata.normalize("NFKC", email.strip()).lower()
    if len(address) > MAX_LENGTH:
        raise InvalidInput("email", f"is longer than {MAX_LENGTH} characters")
    if not _is_valid(address):
        raise InvalidInput("email", f"{email!r} isn't an e-mail address")
    return address


def _is_valid(address: str) -> bool:
    mailbox, _, _ = address.rpartition("@")
    # Django's pattern takes a dotless i for an I, and lets invisible characters pass.
    if not mailbox.isascii() or any(unicodedata.category(each)[0] == "C" for each in address):
        return False
    try:
        validate_email(address)
    except ValidationError:
        return False
    return True


def claim(email: str, user_id: UUID) -> None:
    """Inside the transaction of the registration. Raises EmailTaken.

    Waits while another transaction claims the same address, and goes by how that one ends.
    """
    EmailClaim.objects.bulk_create(
        [EmailClaim(email=email, user_id=user_id)], ignore_conflicts=True
    )
    if EmailClaim.objects.get(email=email).user_id != user_id:
        raise EmailTaken(email)
