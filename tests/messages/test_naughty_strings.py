# ruff: noqa: RUF001  (ambiguous characters are what this is about)
"""Text that breaks software: stored and read back unchanged, or refused by its path."""

from __future__ import annotations

import json

import pytest

from events.context import message_context
from events.exceptions import EncodingError
from events.json_text import check_plain, to_json_text
from events.store.base import EventStore
from tests.factories import cart, measured

STORABLE = [
    "",
    " ",
    "\t\r\n",
    "".join(map(chr, range(1, 32))),
    "\x7f\x80\x9f",
    "\u00a0\u1680\u2028\u2029\u3000\ufeff\u200b\u200d\u202e\u2066",
    "\ufffe\uffff\U0010ffff",
    "\\u0000",
    "\\\\u0000\\",
    '"\'`\\"',
    "'; DROP TABLE events; --",
    "%s %(name)s %% {0} {event.__class__} ${HOME} $(id)",
    "<script>alert('x')</script><!-- ]]> &amp; </textarea>",
    "../../../etc/passwd\\..\\",
    "null",
    "NaN",
    "undefined",
    "1e400",
    "true",
    "0x7f",
    "__proto__",
    "constructor",
    "Ω≈ç√∫˜µ≤≥÷",
    "e\u0301 is not é, Å is not Å, ﬁ is not fi",
    "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮",
    "ثم نفس سقطت וּבְרֵאשִׁית",
    "田中さん 部落格 사회과학원 ᚠᛇᚻ ༀ",
    "👩🏽‍🚀🏳️‍🌈🇮🇸𝕖𝕕𝕕𝕒 𐐜𐐔",
    "İıſK ß ẞ ǅ",
    "x" * 100_000,
    "🦊" * 10_000,
]
UNSTORABLE = {
    "\0": "holds a NUL character",
    "a\0b": "holds a NUL character",
    "\ud800": "holds half of a surrogate pair at 0",
    "a\udfff": "holds half of a surrogate pair at 1",
    "\udc00\ud800": "holds half of a surrogate pair at 0",
}


@pytest.mark.django_db
def test_naughty_strings_come_back_as_values_keys_and_metadata(store: EventStore):
    nested = [{"value": text, "keys": {text: [text]}} for text in STORABLE]
    with message_context(texts=STORABLE):
        store.append(cart(), [measured(reading) for reading in nested])
    read = list(store.read_stream(cart()))
    assert [recorded.data["reading"] for recorded in read] == nested
    assert read[0].metadata["texts"] == STORABLE


@pytest.mark.django_db
def test_a_naughty_correlation_id_is_found_again(store: EventStore):
    for text in STORABLE[1:-2]:
        with message_context(correlation_id=text):
            store.append(cart(), [measured(text)])
        found = store.read_correlated(text)
        assert [recorded.data["reading"] for recorded in found] == [text]


@pytest.mark.parametrize("text", UNSTORABLE)
@pytest.mark.parametrize(
    ("place", "path"),
    [
        (lambda text: text, "reading"),
        (lambda text: [0, text], "reading[1]"),
        (lambda text: {"a": {"b": text}}, "reading.a.b"),
        (lambda text: {"a": {text: 1}}, "reading.a.{key}"),
        (lambda text: {"ok": "\\u0000", "bad": [[text]]}, "reading.bad[0][0]"),
    ],
)
@pytest.mark.django_db
def test_what_no_database_can_hold_is_refused_by_path(store: EventStore, text, place, path):
    with pytest.raises(EncodingError) as caught:
        store.append(cart(), [measured("ok"), measured(place(text))])
    assert caught.value.field == f"events[1].tests.Measured.{path.format(key=ascii(text))}"
    assert caught.value.reason == UNSTORABLE[text]
    assert store.stream_version(cart()) == -1


@pytest.mark.parametrize("value", [*STORABLE, 10**100, -0.0, 5e-324, [], {}, None, False])
def test_text_that_is_written_can_be_read(value):
    assert json.loads(to_json_text({"a": [value]})) == {"a": [value]}
    check_plain(value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": float("nan")}, "a: nan isn't a JSON number"),
        ([float("inf")], "[0]: inf isn't a JSON number"),
        ({"a": [{1}]}, "a[0]: set isn't a JSON value"),
        ({"a": {(1, 2): 1}}, "a: the key (1, 2) isn't a string"),
        ({"a": {"": float("nan")}}, "a.'': nan isn't a JSON number"),
    ],
)
def test_what_is_not_json_is_refused_by_path(value, message):
    for write in (to_json_text, check_plain):
        with pytest.raises(EncodingError) as caught:
            write(value)
        assert str(caught.value) == message


@pytest.mark.parametrize("key", [None, 5, 1.5, True], ids=repr)
def test_a_key_that_json_would_turn_into_text_is_refused_by_path(key):
    with pytest.raises(EncodingError, match=rf"^a: the key {key} isn't a string$"):
        check_plain({"a": {key: 1}})


def test_a_structure_that_is_too_deep_or_endless_is_refused():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    endless: dict = {}
    endless["again"] = endless
    for value in (deep, endless):
        for write in (to_json_text, check_plain):
            with pytest.raises(EncodingError, match=r"is nested|isn.t JSON"):
                write(value)
