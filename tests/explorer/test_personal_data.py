from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from events.delivery.draining import drain
from events.explorer.disclosure import REVEALED_FOR
from events.models import AggregateVersion, Event, OperatorAction
from events.personal import (
    HIDDEN,
    Personal,
    fill_in,
    hide_in_event,
    hide_in_state,
    hide_in_text,
    personal_names,
    personal_values,
    shape_of,
)
from events.personal.hiding import hide
from sagas.models import SagaInstance
from tests.explorer.pages import list_url, row_url, text_of
from tests.explorer.people import CITY, EMAIL, Person, PersonBroken, PlanChanged, person, staff
from tests.explorer.rows import stored_event, stored_snapshot
from tests.orders.shop import address, place
from tests.orders.styles import installed

VIEW = ("view_event", "view_aggregateversion", "view_snapshot")
SECRETS = (EMAIL, "Via Po 1")


def state_url(stream: AggregateVersion) -> str:
    return reverse("admin:events_aggregateversion_state", kwargs={"key": stream.pk})


def pages_with_data(stream: AggregateVersion) -> list[str]:
    event = Event.objects.get(event_type="tests.PersonJoined")
    snapshot = stored_snapshot(
        aggregate_type=stream.aggregate_type,
        aggregate_id=stream.aggregate_id,
        version=0,
        snapshot_data={"contact": EMAIL, "city": CITY, "plan": "free", "changes": 0},
    )
    return [
        row_url(event),
        row_url(stream),
        state_url(stream),
        f"{state_url(stream)}?version=0&against=-1",
        row_url(snapshot),
        f"{row_url(snapshot)}?verify=1",
    ]


def reveal(client: Client, stream: object, reason: str, **more: str) -> None:
    data = {"stream": str(stream), "reason": reason, "next": "/admin/"} | more
    client.post(reverse("admin:events_event_reveal"), data)


def test_personal_values_are_on_no_page(admin_client: Client) -> None:
    stream = person(1, PlanChanged(plan="paid"))
    for url in pages_with_data(stream):
        html = text_of(admin_client, url)
        assert not [secret for secret in SECRETS if secret in html], url
        assert "•••" in html, url


def test_personal_values_are_shown_for_a_reason_that_the_operator_log_keeps(
    db: None, client: Client
) -> None:
    stream = person(1)
    staff(client, *VIEW, "reveal_event")
    reveal(client, stream, "ticket 7")
    for url in pages_with_data(stream):
        assert EMAIL in text_of(client, url), url
        assert "is shown to you until" in text_of(client, url)
    action = OperatorAction.objects.get()
    assert (action.action, action.actor, action.reason) == ("reveal", "staff", "ticket 7")
    assert action.details["stream"] == str(stream)


def test_without_a_reason_nothing_is_shown(admin_client: Client) -> None:
    stream = person(1)
    reveal(admin_client, stream, " ")
    assert EMAIL not in text_of(admin_client, row_url(Event.objects.get()))
    assert not OperatorAction.objects.exists()


def test_without_the_permission_nothing_is_shown(db: None, client: Client) -> None:
    stream = person(1)
    staff(client, *VIEW)
    reveal(client, stream, "ticket 7")
    html = text_of(client, row_url(Event.objects.get()))
    assert EMAIL not in html
    assert "to see it you would need the permission" in html
    assert not OperatorAction.objects.exists()


def test_whoever_loses_the_permission_sees_nothing_any_more(db: None, client: Client) -> None:
    from django.contrib.auth.models import User

    stream = person(1)
    staff(client, *VIEW, "reveal_event")
    reveal(client, stream, "ticket 7")
    account = User.objects.get(username="staff")
    account.user_permissions.remove(account.user_permissions.get(codename="reveal_event"))
    assert EMAIL not in text_of(client, row_url(Event.objects.get()))


def test_one_stream_is_revealed_and_no_other(admin_client: Client) -> None:
    stream, _ = person(1), person(2)
    reveal(admin_client, stream, "ticket 7")
    mine, other = Event.objects.order_by("position")
    assert EMAIL in text_of(admin_client, row_url(mine))
    assert EMAIL not in text_of(admin_client, row_url(other))


def test_it_is_hidden_again_after_a_while_or_on_request(admin_client: Client) -> None:
    stream = person(1)
    url = row_url(Event.objects.get())
    reveal(admin_client, stream, "ticket 7")
    with time_machine.travel(timezone.now() + REVEALED_FOR + timedelta(seconds=1)):
        assert EMAIL not in text_of(admin_client, url)
    assert EMAIL in text_of(admin_client, url)
    reveal(admin_client, stream, "", conceal="1")
    assert EMAIL not in text_of(admin_client, url)


def test_a_look_reveals_nothing(admin_client: Client) -> None:
    person(1)
    address = reverse("admin:events_event_reveal")
    assert admin_client.get(f"{address}?stream=x&reason=y").status_code == 405


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_the_way_back_stays_on_the_site(admin_client: Client, address: str) -> None:
    data = {"stream": "x", "reason": "y", "next": address}
    response = admin_client.post(reverse("admin:events_event_reveal"), data)
    assert response["Location"] == reverse("admin:events_event_changelist")


def test_field_of_an_earlier_version_is_hidden_under_its_earlier_name(
    admin_client: Client,
) -> None:
    data = {"mail": EMAIL, "home": {"street": "Via Po 1", "city": CITY}, "plan": "free"}
    event = stored_event(event_type="tests.PersonJoined", event_version=1, event_data=data)
    html = text_of(admin_client, row_url(event))
    assert EMAIL not in html
    assert CITY in html


def test_error_that_quotes_a_personal_value_hides_it(admin_client: Client) -> None:
    unreadable = {"email": [EMAIL], "home": {"street": "s", "city": CITY}, "plan": "free"}
    event = stored_event(event_type="tests.PersonJoined", event_version=2, event_data=unreadable)
    html = text_of(admin_client, row_url(event))
    assert "expected str, got list" in html
    assert EMAIL not in html
    stream = person(1, PersonBroken())
    for url in (row_url(stream), state_url(stream)):
        html = text_of(admin_client, url)
        assert "ArithmeticError" in html
        assert EMAIL not in html


def test_that_a_personal_value_has_changed_is_shown_and_what_it_is_is_not(
    admin_client: Client,
) -> None:
    html = text_of(admin_client, f"{state_url(person(1))}?version=0")
    assert '<th scope="row" class="explorer-code">contact</th>' in html
    assert EMAIL not in html


def test_condition_on_a_hidden_value_tells_nothing_about_it(admin_client: Client) -> None:
    url = f"{state_url(person(1))}?field=contact&operator=%3D&value={EMAIL}"
    assert "At no version." in text_of(admin_client, url)


def test_data_of_an_unknown_type_is_hidden_by_the_names_that_any_class_calls_personal() -> None:
    assert "email" in personal_names()
    shown = hide_in_event("of.an.old.release", {"a": [{"email": EMAIL, "x": 1}], "mail": None})
    assert shown == {"a": [{"email": HIDDEN, "x": 1}], "mail": None}


def test_state_is_hidden_by_value_and_by_name() -> None:
    state = {"contact": EMAIL, "note": f"write to {EMAIL} today", "street": "x", "city": CITY}
    assert hide_in_state(Person, state, frozenset({EMAIL})) == {
        "contact": HIDDEN,
        "note": f"write to {HIDDEN} today",
        "street": HIDDEN,
        "city": CITY,
    }


def test_keys_of_a_state_are_hidden_and_none_of_them_is_lost() -> None:
    state = {"by_email": {EMAIL: 1, "other@example.org": 2, "plain": 3}}
    assert hide_in_state(None, state, frozenset({EMAIL, "other@example.org"})) == {
        "by_email": {HIDDEN: 1, f"{HIDDEN} (2)": 2, "plain": 3}
    }


def test_an_object_with_personal_keys_is_hidden_as_a_whole() -> None:
    @dataclass
    class Invited:
        by_email: dict[Annotated[str, Personal()], int]

    shape = shape_of(Invited)
    assert hide({"by_email": {EMAIL: 1}}, shape) == {"by_email": HIDDEN}
    assert personal_values({"by_email": {EMAIL: 1}}, shape) == {EMAIL}


def test_what_is_left_hidden_in_an_edit_keeps_its_value() -> None:
    original = {"email": EMAIL, "list": [{"a": 1}, {"a": "x"}], "plan": "free"}
    edited = {"email": "•••", "list": [{"a": 2}, {"a": "•••"}, {"a": 3}], "plan": "paid"}
    assert fill_in(edited, original) == {
        "email": EMAIL,
        "list": [{"a": 2}, {"a": "x"}, {"a": 3}],
        "plan": "paid",
    }


def test_values_of_no_type_are_hidden_by_the_names_that_any_class_calls_personal() -> None:
    data = {"reading": {"email": EMAIL, "plan": "free", "list": [{"street": "Via Po 1"}]}}
    assert hide_in_event("tests.Measured", data) == {
        "reading": {"email": HIDDEN, "plan": "free", "list": [{"street": HIDDEN}]}
    }
    assert hide_in_event("tests.Measured", {"older": {"email": EMAIL}, "n": 1}) == {
        "older": {"email": HIDDEN},
        "n": 1,
    }


def test_saga_shows_no_personal_data_of_what_it_was_started_with(admin_client: Client) -> None:
    with installed("orchestrated"):
        place()
        drain()
    stream = AggregateVersion.objects.get(aggregate_type="Saga")
    pages = [row_url(event) for event in Event.objects.filter(aggregate_type="Saga")]
    pages += [row_url(stream), state_url(stream), row_url(SagaInstance.objects.get())]
    for url in pages:
        assert address().street not in text_of(admin_client, url), url


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("got 'ada@example.com' here", "got '•••' here"),
        ("got 'ada@example", "got '•••"),
        ("got 'ada@exam", "got 'ada@exam"),
    ],
)
def test_value_that_an_error_quotes_in_part_is_hidden(text: str, shown: str) -> None:
    assert hide_in_text(text, frozenset({EMAIL})) == shown


def found(client: Client, **search: str) -> bool:
    return (
        "tests.PersonJoined" in text_of(client, list_url(Event, **search)).partition("<tbody>")[2]
    )


def test_search_does_not_tell_what_a_field_of_an_earlier_version_holds(
    db: None, client: Client
) -> None:
    data = {"mail": EMAIL, "home": {"street": "Via Po 1", "city": CITY}, "plan": "free"}
    stored_event(event_type="tests.PersonJoined", event_version=1, event_data=data)
    staff(client, *VIEW)
    stream = "stream:Cart-cart-1"
    assert not found(client, q=f"data.mail:{EMAIL} {stream}")
    assert found(client, q=f"data.home.city:{CITY} {stream}")
    assert found(client, q=f"data.plan:free {stream}")
    staff(client, *VIEW, "reveal_event", name="trusted")
    assert found(client, q=f"data.mail:{EMAIL} {stream}")
