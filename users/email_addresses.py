"""One spelling for each e-mail address, and one owner (docs/adr/0005)."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from events.conf import events_settings
from events.exceptions import InvalidInput

from .exceptions import EmailTaken
from .models import EmailClaim

# RFC 5321, section 4.5.3.1.3, less the angle brackets.
MAX_LENGTH = 254

# A dot too, by RFC 3490, section 3.1; NFKC makes one of two others that it names.
_IDEOGRAPHIC_FULL_STOP = "\u3002"
_PUNYCODE_PREFIX = "xn--"


def normalised(email: str) -> str:
    """Without surrounding space, in its compatible form (NFKC) and in lower case, with a domain in
    Unicode. Raises InvalidInput. The compatible form, because full-width letters reach the same
    mailbox.

    The part before the @ may be case-sensitive by RFC 5321; no mailbox in use tells such twins
    apart, but people who register twice do.
    """
    mailbox, at, domain = _compatible(email.strip()).rpartition("@")
    labels = domain.replace(_IDEOGRAPHIC_FULL_STOP, ".").split(".")
    address = f"{mailbox}{at}{'.'.join(map(_in_unicode, labels))}"
    if len(address) > MAX_LENGTH:
        raise InvalidInput("email", f"is longer than {MAX_LENGTH} characters")
    if not _is_valid(address):
        raise InvalidInput("email", f"{email!r} isn't an e-mail address")
    return address


def _compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _in_unicode(label: str) -> str:
    """`xn--bcher-kva` becomes `bücher`. Raises InvalidInput for one that is no domain's.

    By the punycode codec, not by Python's idna: that one has the rules of 2003, by which straße.de
    is strasse.de, and that may be somebody else's now.
    """
    if not label.startswith(_PUNYCODE_PREFIX):
        return label
    encoded = label.removeprefix(_PUNYCODE_PREFIX)
    with suppress(UnicodeError):
        decoded = encoded.encode("ascii").decode("punycode")
        is_one_spelling = decoded.encode("punycode") == encoded.encode("ascii")
        if is_one_spelling and not decoded.isascii() and _is_part(decoded):
            return decoded
    raise InvalidInput("email", f"the part {label!r} of its domain stands for no name")


def _is_part(text: str) -> bool:
    """Whether it would have been the same in an address written in Unicode."""
    return _compatible(text) == text and _IDEOGRAPHIC_FULL_STOP not in text


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
    # Where the log is: only there does the claim share a transaction with the events.
    claims = EmailClaim.objects.using(events_settings().database)
    claims.bulk_create([EmailClaim(email=email, user_id=user_id)], ignore_conflicts=True)
    if claims.get(email=email).user_id != user_id:
        raise EmailTaken(email)
