from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from events.explorer import states
from events.explorer.bisect import Condition, ConditionError
from events.models import AggregateVersion, Event, OperatorAction, Snapshot
from tests.explorer.pages import inline_code, links, list_url, row_url, text_of
from tests.explorer.people import PersonBroken, PlanChanged, person, staff
from tests.explorer.rows import stored_events, stored_snapshot, stored_streams
from tests.factories import MOMENT

PLANS = [PlanChanged(plan=name, occurred_on=MOMENT + timedelta(days=3650)) for name in "abcdef"]


def url_of(stream: AggregateVersion, query: str = "") -> str:
    return reverse("admin:events_aggregateversion_state", kwargs={"key": stream.pk}) + query


def test_stream_shows_what_each_event_changed(admin_client: Client) -> None:
    stream = person(1, *PLANS)
    html = text_of(admin_client, row_url(stream))
    assert '<span class="explorer-key">changes</span> <del><span title="5">5</span></del>' in html
    assert html.count('<span class="explorer-key">plan</span>') == len(PLANS) + 1
    assert inline_code(html) == []


def test_state_at_a_version_is_shown_with_what_its_event_changed(admin_client: Client) -> None:
    stream = person(1, *PLANS)
    html = text_of(admin_client, url_of(stream, "?version=2"))
    assert "State at version 2" in html
    assert "&quot;plan&quot;: &quot;b&quot;" in html
    around = links(html)
    assert around["Previous version"] == url_of(stream, "?version=1")
    assert around["Next version"] == url_of(stream, "?version=3")
    assert row_url(Event.objects.get(sequence_number=2)) in around.values()
    assert inline_code(html) == []


def test_state_of_two_versions_is_compared(admin_client: Client) -> None:
    html = text_of(admin_client, url_of(person(1, *PLANS), "?version=5&against=1"))
    assert "At version 1" in html
    assert '<th scope="row" class="explorer-code">changes</th>' in html
    assert '<th scope="row" class="explorer-code">city</th>' not in html


@pytest.mark.parametrize(
    ("query", "version"),
    [
        ("", 6),
        ("?version=99", 6),
        ("?version=-9", -1),
        ("?version=x", 6),
        ("?version=99999999999999999999999", 6),
        ("?time=2036-01-01", 0),
        ("?time=2000-01-01 12:00", -1),
        ("?time=2099-01-01T12:00:00Z", 6),
        ("?time=2026-02-31", 6),
    ],
)
def test_version_is_found_for_any_input(admin_client: Client, query: str, version: int) -> None:
    stream = person(1, *PLANS)
    assert f"State at version {version}" in text_of(admin_client, url_of(stream, query))


def test_time_that_is_none_is_named(admin_client: Client) -> None:
    html = text_of(admin_client, url_of(person(1), "?time=yesterday"))
    assert "“yesterday” isn&#x27;t a time like" in html


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("field=changes&operator=%3E%3D&value=3", "At version 3"),
        ("field=plan&operator=%3D&value=d", "At version 4"),
        ("field=plan&operator=set&value=", "At version 0"),
        ("field=plan&operator=!%3D&value=free", "From the start."),
        ("field=changes&operator=%3E&value=99", "At no version."),
        ("field=nowhere.at[3]&operator=%3D&value=1", "At no version."),
        ("field=.&operator=%3D&value=1", "names no field."),
        ("field=plan&operator=like&value=1", "isn&#x27;t a comparison."),
    ],
)
def test_first_version_at_which_a_condition_holds(
    admin_client: Client, query: str, answer: str
) -> None:
    assert answer in text_of(admin_client, url_of(person(1, *PLANS), f"?{query}"))


@pytest.mark.parametrize(
    ("field", "operator", "value", "holds"),
    [
        ("price", "=", "12.5", True),
        ("price", ">", "9", True),
        ("price", "<=", "12.49", False),
        ("items[1].sku", "=", "b", True),
        ("items", "has", "x", False),
        ("tags", "has", "red", True),
        ("note", "has", "ell", True),
        ("flag", "=", "true", True),
        ("flag", "=", "1", False),
        ("gone", "set", "", False),
        ("price", "<", "[1]", False),
    ],
)
def test_conditions_compare_as_people_mean_them(
    field: str, operator: str, value: str, holds: bool
) -> None:
    state = {
        "price": "12.50",
        "items": [{"sku": "a"}, {"sku": "b"}],
        "tags": ["red"],
        "note": "hello",
        "flag": True,
        "gone": None,
    }
    condition = Condition.parse(field=field, operator=operator, value=value)
    assert condition.holds(state) is holds


def test_condition_without_a_field_is_refused() -> None:
    with pytest.raises(ConditionError):
        Condition.parse(field="[]", operator="=", value="1")


def test_event_that_the_aggregate_cannot_apply_is_shown_with_the_state_before_it(
    admin_client: Client,
) -> None:
    stream = person(1, PlanChanged(plan="a"), PersonBroken(), PlanChanged(plan="b"))
    html = text_of(admin_client, url_of(stream))
    assert "apply tests.PersonBroken at version 2" in html
    assert "&quot;plan&quot;: &quot;a&quot;" in html
    assert "apply_person_broken" in html
    assert "later states are not known" in text_of(admin_client, row_url(stream))


def test_stream_without_a_class_is_listed_and_has_no_state(admin_client: Client) -> None:
    (stream,) = stored_streams(["Nobodys-1"])
    stored_events(2, aggregate_type="Nobodys", aggregate_id="1")
    assert "its state is not known" in text_of(admin_client, row_url(stream))
    assert "has the category Nobodys" in text_of(admin_client, url_of(stream))


def test_long_replay_is_done_on_request_and_a_longer_one_is_not(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = person(1, *PLANS)
    monkeypatch.setattr(states.History.__init__, "__defaults__", (3,))
    html = text_of(admin_client, url_of(stream))
    assert "7 events would have to be replayed" in html
    assert "&quot;plan&quot;" not in html
    again = links(html)["Replay them"]
    assert "&quot;plan&quot;: &quot;f&quot;" in text_of(admin_client, url_of(stream, again))
    assert "7 would be replayed" in text_of(admin_client, row_url(stream))
    monkeypatch.setattr(states, "MAX_STEPS_ON_REQUEST", 5)
    assert "That is too many for a page" in text_of(admin_client, url_of(stream))


def test_state_is_for_those_who_may_see_events(db: None, client: Client) -> None:
    stream = person(1)
    staff(client, "view_aggregateversion")
    assert client.get(url_of(stream)).status_code == 403
    assert client.post(url_of(stream)).status_code == 405


def test_state_of_no_stream_is_not_found(admin_client: Client) -> None:
    assert admin_client.get("/admin/events/aggregateversion/999/state/").status_code == 404


# --- snapshots ---


def person_with_snapshot(plan: str) -> Snapshot:
    person(1, *PLANS)
    return stored_snapshot(
        aggregate_type="TestsPerson",
        aggregate_id="person-1",
        version=1,
        snapshot_data={
            "contact": "ada@example.com",
            "city": "Turin",
            "plan": plan,
            "changes": 1,
        },
    )


def test_snapshot_that_a_replay_agrees_with_is_verified(admin_client: Client) -> None:
    html = text_of(admin_client, row_url(person_with_snapshot("a")) + "?verify=1")
    assert "gives the same state" in html


def test_snapshot_that_a_replay_does_not_agree_with_is_shown_with_what_differs(
    admin_client: Client,
) -> None:
    html = text_of(admin_client, row_url(person_with_snapshot("zzz")) + "?verify=1")
    assert "gives another state" in html
    assert '<th scope="row" class="explorer-code">plan</th>' in html


def test_snapshot_is_dropped_for_a_reason(admin_client: Client) -> None:
    snapshot = person_with_snapshot("zzz")
    url = links(text_of(admin_client, row_url(snapshot)))["Drop"]
    assert Snapshot.objects.exists(), "a look must not drop it"
    assert "This field is required." in admin_client.post(url, {"reason": ""}).content.decode()
    admin_client.post(url, {"reason": "wrong plan"})
    assert not Snapshot.objects.exists()
    action = OperatorAction.objects.get()
    assert (action.action, action.reason) == ("drop_snapshot", "wrong plan")
    assert action.details == {"stream": "TestsPerson-person-1", "version": 1}


def test_snapshot_is_not_dropped_without_the_permission(db: None, client: Client) -> None:
    snapshot = person_with_snapshot("a")
    staff(client, "view_snapshot")
    html = text_of(client, row_url(snapshot))
    assert "Drop" not in links(html)
    url = reverse("admin:events_snapshot_drop") + f"?id={snapshot.pk}"
    assert client.post(url, {"reason": "x"}).status_code == 403
    assert "action-select" not in text_of(client, list_url(Snapshot))
    assert Snapshot.objects.exists()
