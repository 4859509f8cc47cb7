"""One spelling for each e-mail address, and one owner."""

from __future__ import annotations

import pytest

from events.exceptions import InvalidInput
from tests.users.people import ANN, BOB, deactivate, event_names, history, register
from users.email_addresses import normalised
from users.exceptions import EmailTaken
from users.models import EmailClaim


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("ann@example.org", "ann@example.org"),
        ("  Ann@Example.ORG\n", "ann@example.org"),
        ("\u00a0ANN+shop@example.org\u3000", "ann+shop@example.org"),
        ("ann@cafe\u0301.example", "ann@caf\u00e9.example"),
        ("ann@ÜBUNG.example", "ann@übung.example"),
        ("\u212aate@example.org", "kate@example.org"),  # a Kelvin sign
        ("ann.o'neil@sub.example.co", "ann.o'neil@sub.example.co"),
    ],
    ids=ascii,
)
def test_each_address_has_one_spelling(given, expected):
    assert normalised(given) == expected
    assert normalised(expected) == expected


@pytest.mark.parametrize(
    "given", ["ann@\uff45xample.org", "\u017fam@example.org"], ids=["full-width e", "long s"]
)
def test_a_compatible_spelling_that_reaches_the_same_mailbox_is_the_same_address(given):
    assert normalised(given).isascii()


@pytest.mark.parametrize(
    "given",
    [
        "ann",
        "ann@",
        "@example.org",
        "ann@example..org",
        "ann@-example.org",
        "a nn@example.org",
        "a\nnn@example.org",
        "ann@example.org, bob@example.org",
        "Ann <ann@example.org>",
        "mailto:ann@example.org@",
        "ann@example.org\r\nBcc: bob@example.org",
        "\u202eann@example.org",
        "ann@exam\u200bple.org",
        "\u0131an@example.org",  # a dotless i, which some mail software takes for an i
    ],
    ids=ascii,
)
def test_what_is_no_address_is_refused_by_field(given):
    with pytest.raises(InvalidInput) as caught:
        normalised(given)
    assert caught.value.field == "email"
    assert "isn't an e-mail address" in str(caught.value)


def test_an_address_that_grows_too_long_when_it_is_normalised_is_refused():
    label = "İ" * 31  # two characters each in lower case
    given = f"ann@{label}.{label}.{label}.{label}.org"
    assert len(given) <= 254 < len(given.lower())
    with pytest.raises(InvalidInput, match="email"):
        normalised(given)


@pytest.mark.django_db
def test_the_event_holds_the_one_spelling():
    register(email="  Ann@Example.ORG ")
    [recorded] = history()
    assert recorded.data["email"] == "ann@example.org"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other", ["ann@example.org", "ANN@EXAMPLE.ORG", " Ann@example.org "], ids=repr
)
def test_an_address_is_taken_in_whatever_spelling(other):
    register(email="Ann@Example.org")
    with pytest.raises(EmailTaken) as caught:
        register(BOB, email=other)
    assert caught.value.code == "email_taken"
    assert caught.value.details == {"email": "ann@example.org"}
    assert event_names(BOB) == []
    assert EmailClaim.objects.get().user_id == ANN


@pytest.mark.django_db
def test_different_addresses_are_different():
    register(email="ann@example.org")
    register(BOB, email="ann+shop@example.org")
    assert EmailClaim.objects.count() == 2


@pytest.mark.django_db
def test_a_deactivated_user_keeps_the_address():
    register()
    deactivate()
    with pytest.raises(EmailTaken):
        register(BOB)


@pytest.mark.django_db
def test_an_address_whose_claim_was_erased_is_free_again():
    register()
    EmailClaim.objects.all().delete()
    assert register(BOB).value == {"user_id": str(BOB)}


@pytest.mark.django_db
def test_an_address_that_is_none_is_refused_by_the_command():
    with pytest.raises(InvalidInput, match="email"):
        register(email="not an address")
    assert event_names() == []
    assert not EmailClaim.objects.exists()
