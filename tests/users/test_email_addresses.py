"""One spelling for each e-mail address, and one owner."""

from __future__ import annotations

import pytest
from django.utils.connection import ConnectionDoesNotExist

from events.exceptions import InvalidInput
from tests.users.people import ANN, BOB, deactivate, event_names, history, register
from users.email_addresses import claim, normalised
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
    ("given", "expected"),
    [
        ("ann@xn--bcher-kva.example", "ann@b\u00fccher.example"),
        ("Ann@XN--BCHER-KVA.Example", "ann@b\u00fccher.example"),
        ("ann@shop.xn--bcher-kva.example", "ann@shop.b\u00fccher.example"),
        ("ann@xn--r8jz45g.xn--zckzah", "ann@\u4f8b\u3048.\u30c6\u30b9\u30c8"),
        ("ann@\u4f8b\u3048\u3002\u30c6\u30b9\u30c8", "ann@\u4f8b\u3048.\u30c6\u30b9\u30c8"),
        ("ann@example\uff0eorg", "ann@example.org"),
        ("ann@example\uff61org", "ann@example.org"),
        # The mailbox is whatever its domain makes of it.
        ("xn--bcher-kva@example.org", "xn--bcher-kva@example.org"),
    ],
    ids=ascii,
)
def test_a_domain_in_punycode_and_in_unicode_is_the_same(given, expected):
    assert normalised(given) == expected
    assert normalised(expected) == expected


def test_domains_that_differ_by_a_sharp_s_are_two():
    sharp = normalised("ann@xn--strae-oqa.example")
    assert sharp == normalised("ann@stra\u00dfe.example")
    assert sharp != normalised("ann@strasse.example")


@pytest.mark.parametrize(
    "label",
    [
        "xn--",
        "xn---",
        "xn--99999",  # no punycode
        "xn--a",  # a control character
        "xn--abc-",  # only ASCII
        "xn---tda",  # another way to write xn--tda
        "xn--\u00fc-kva",
        "xn--" + "\u00dcber".encode("punycode").decode(),  # a capital
        "xn--" + "\ufb01\u00fc".encode("punycode").decode(),  # a ligature
        "xn--" + "a\u3002b".encode("punycode").decode(),  # a dot
        "xn--" + "a\u200db".encode("punycode").decode(),  # an invisible joiner
    ],
    ids=ascii,
)
def test_a_domain_whose_punycode_stands_for_no_name_is_refused_by_field(label):
    for domain in (f"{label}.example", f"shop.{label}"):
        with pytest.raises(InvalidInput) as caught:
            normalised(f"ann@{domain}")
        assert caught.value.field == "email"


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
def test_an_address_is_taken_in_punycode_and_in_unicode():
    register(email="ann@xn--bcher-kva.example")
    with pytest.raises(EmailTaken):
        register(BOB, email="ann@b\u00fccher.example")


def test_an_address_is_claimed_where_the_log_is(settings):
    settings.EVENTS = {"database": "log"}
    with pytest.raises(ConnectionDoesNotExist, match="'log'"):
        claim("ann@example.org", ANN)


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
