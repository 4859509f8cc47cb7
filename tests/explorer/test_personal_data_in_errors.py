from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from events.bus.retry import RetryPolicy
from events.bus.subscription import subscribe
from events.delivery import dead_letters
from events.delivery.draining import drain
from events.models import (
    DeadMessage,
    Event,
    FailedEvent,
    OperatorAction,
    ReceivedEvent,
    SubscriptionState,
)
from tests.explorer.pages import list_url, row_url, text_of
from tests.explorer.people import CITY, EMAIL, person
from tests.explorer.rows import event_row, stored_event

NAME = "tests.mail"
OTHER = "grace@example.com"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store", "no_other_subscriptions")]


def refuse(event: Any) -> None:
    raise ValueError(f"no mail to {event.data['email']}")


@pytest.fixture
def refusing() -> None:
    subscribe("*", refuse, name=NAME, retry=RetryPolicy(attempts=1))


def failed(event: Event, message: str, **overrides: Any) -> FailedEvent:
    SubscriptionState.objects.get_or_create(name=NAME)
    return FailedEvent.objects.create(
        **{
            "subscription_id": NAME,
            "aggregate_type": event.aggregate_type,
            "aggregate_id": event.aggregate_id,
            "sequence_number": event.sequence_number,
            "position": event.position or 1,
            "event_id": event.event_id,
            "event_type": event.event_type,
            "lane": 0,
            "status": FailedEvent.Status.DEAD,
            "attempts": 1,
            "error_type": "ValueError",
            "error_message": message,
            "traceback": f"Traceback: {message}",
            "fingerprint": "f" * 16,
            "last_failed_at": timezone.now(),
        }
        | overrides
    )


def pages_of(row: FailedEvent) -> list[str]:
    return [
        row_url(row),
        list_url(FailedEvent),
        f"{reverse('admin:events_failedevent_group')}?fingerprint={row.fingerprint}",
        reverse("admin:events_failedevent_groups"),
        row_url(SubscriptionState.objects.get(pk=row.subscription_id)),
        f"{reverse('admin:events_failedevent_edit')}?id={row.pk}",
        f"{reverse('admin:events_failedevent_retry-all')}?group={row.fingerprint}",
    ]


def hides(client: Client, row: FailedEvent, secret: str) -> None:
    for url in pages_of(row):
        assert secret not in text_of(client, url), url


def test_error_about_an_edited_value_hides_it(refusing: None, admin_client: Client) -> None:
    person(1)
    drain(raise_errors=False)
    [chosen] = dead_letters.choose(FailedEvent.objects.all())
    data = Event.objects.get().event_data | {"email": OTHER}
    dead_letters.edit_and_retry(chosen, data, actor="ada", reason="typo")
    drain(raise_errors=False)
    row = FailedEvent.objects.get()
    assert OTHER in row.error_message
    hides(admin_client, row, OTHER)


def test_error_about_an_event_that_cannot_be_upcast_hides_what_it_quotes(
    admin_client: Client,
) -> None:
    data = {"email": EMAIL, "home": {"street": "Via Po 1", "city": CITY}, "plan": "free"}
    event = stored_event(event_type="tests.PersonJoined", event_version=1, event_data=data)
    hides(admin_client, failed(event, f"no mail in {{'email': '{EMAIL}'}}"), EMAIL)


def test_error_about_an_event_of_a_type_that_is_gone_hides_what_it_quotes(
    admin_client: Client,
) -> None:
    event = stored_event(event_type="of.an.old.release", event_data={"email": EMAIL})
    hides(admin_client, failed(event, f"no mail to {EMAIL}"), EMAIL)


def test_error_about_an_event_that_a_queue_has_brought_hides_what_it_quotes(
    admin_client: Client,
) -> None:
    event = event_row(event_type="of.another.system", event_data={"email": EMAIL})
    names = ["event_id", "aggregate_type", "aggregate_id", "event_type", "event_version"]
    names += ["sequence_number", "event_data", "metadata", "occurred_on", "recorded_at"]
    copied = {name: getattr(event, name) for name in names}
    ReceivedEvent.objects.create(subscription=NAME, **copied)
    hides(admin_client, failed(event, f"no mail to {EMAIL}"), EMAIL)


def test_error_about_a_message_that_was_given_up_hides_what_it_quotes(
    admin_client: Client,
) -> None:
    event = event_row(event_type="of.another.system")
    row = failed(event, f"no mail to {EMAIL}")
    body = {
        "eventId": str(event.event_id),
        "aggregateType": event.aggregate_type,
        "aggregateId": event.aggregate_id,
        "eventType": event.event_type,
        "eventVersion": 1,
        "occurredOn": event.occurred_on.isoformat(),
        "data": {"email": EMAIL},
        "metadata": {},
    }
    DeadMessage.objects.create(
        failed_event=row, queue="q", body=json.dumps(body).encode(), properties={}
    )
    hides(admin_client, row, EMAIL)


def test_operator_log_keeps_no_message_of_a_dry_run(refusing: None, admin_client: Client) -> None:
    person(1)
    drain(raise_errors=False)
    row = FailedEvent.objects.get()
    response = admin_client.post(f"{reverse('admin:events_failedevent_dry-run')}?id={row.pk}")
    assert EMAIL not in response.content.decode()
    action = OperatorAction.objects.get()
    assert action.details["error"] == "ValueError"
    assert EMAIL not in text_of(admin_client, row_url(action))
