from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.explorer.conditions import SearchError
from events.explorer.search import BARE, conditions, parse, to_text

NAMES = ["id", "stream", "cause", "correlation", "type", BARE]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", {}),
        ("   ", {}),
        ("type:A", {"type": "A"}),
        ("  type:A   cause:b ", {"type": "A", "cause": "b"}),
        ("User-42", {BARE: "User-42"}),
        ("type:A User-42", {"type": "A", BARE: "User-42"}),
        ('stream:"Order-a b"', {"stream": "Order-a b"}),
        (r'cause:"a\"b\\c"', {"cause": r"a\"b\c".replace('\\"', '"')}),
        ('"urn:x:1"', {BARE: "urn:x:1"}),
        ("correlation:urn:x:1", {"correlation": "urn:x:1"}),
        (r"cause:a\b", {"cause": r"a\b"}),
    ],
)
def test_terms_are_told_apart_by_their_qualifier(text: str, terms: dict[str, str]) -> None:
    assert parse(text) == terms


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour:red", "“colour:” is unknown. Known are id: stream: cause: correlation: type:"),
        (":red", "“:” is unknown"),
        ("type:", "type: has no value"),
        ('type:""', 'type:"" has no value'),
        ("type:A type:B", "type: is given twice"),
        ("one two", "Only one word can go without a qualifier"),
    ],
)
def test_text_that_means_nothing_is_refused_with_what_would(text: str, message: str) -> None:
    with pytest.raises(SearchError) as caught:
        parse(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({BARE: "x"}, "Nothing in the log is named “x”."),
        ({"id": "42"}, "id: 42 isn't a UUID."),
        ({"stream": "User"}, "stream: 'User' isn't of the form Category-id."),
        ({"stream": "User-"}, "stream: must be a non-empty string."),
    ],
)
def test_value_of_another_form_is_refused_by_name(terms: dict[str, str], message: str) -> None:
    with pytest.raises(SearchError) as caught:
        conditions(terms)
    assert str(caught.value) == message


@given(st.dictionaries(st.sampled_from(NAMES), st.text(st.characters(codec="utf-8"), min_size=1)))
def test_any_terms_survive_the_way_through_the_search_box(terms: dict[str, str]) -> None:
    assert parse(to_text(terms)) == terms
