from __future__ import annotations

from uuid import UUID

import pytest
from django.contrib.auth.models import User as Account
from django.test import Client

from events.command_bus import command_bus
from events.identifiers import new_id
from events.models import Event
from tests.explorer.pages import inline_code, links, list_url, row_url, shown, text_of
from users.commands import DeactivateUser, RegisterUser
from users.models import EmailClaim, LinkedLogin, RegisteredUser


def registered(name: str) -> UUID:
    user_id = new_id()
    command_bus.dispatch(RegisterUser(user_id=user_id, email=f"{name}@example.com", name=name))
    return user_id


@pytest.mark.parametrize("text", [" Ada@Example.com ", "{user_id}"])
def test_user_is_found_by_whole_address_or_id(admin_client: Client, text: str) -> None:
    user_id = registered("ada")
    registered("bob")
    url = list_url(RegisteredUser, q=text.format(user_id=user_id))
    assert shown(admin_client, url) == ["ada@example.com"]
    events = list_url(Event, q=f"stream:User-{user_id}")
    assert links(text_of(admin_client, url))["show"] == events
    assert len(shown(admin_client, events)) == 1


@pytest.mark.parametrize(
    ("model", "text", "message"),
    [
        (RegisteredUser, "ada", "isn&#x27;t a user id."),
        (RegisteredUser, "ada@", "isn&#x27;t an e-mail address"),
        (EmailClaim, "ada", "isn&#x27;t an e-mail address"),
        (LinkedLogin, "ada", "isn&#x27;t a user id."),
    ],
)
def test_search_for_part_of_an_address_says_what_is_searched(
    admin_client: Client, model: type[RegisteredUser], text: str, message: str
) -> None:
    registered("ada")
    assert message in text_of(admin_client, list_url(model, q=text))
    assert shown(admin_client, list_url(model, q=text)) == []


def test_users_are_listed_from_the_newest_on(admin_client: Client) -> None:
    for name in ("ada", "bob", "eve"):
        registered(name)
    assert shown(admin_client, list_url(RegisteredUser)) == [
        "eve@example.com",
        "bob@example.com",
        "ada@example.com",
    ]


def test_deactivated_user_is_shown_so(admin_client: Client) -> None:
    user_id = registered("ada")
    command_bus.dispatch(DeactivateUser(user_id=user_id))
    html = text_of(admin_client, row_url(RegisteredUser.objects.get(pk=user_id)))
    assert 'alt="False"' in html


def test_log_in_is_linked_to_a_registered_user(admin_client: Client) -> None:
    user_id, account = registered("ada"), Account.objects.create_user("ada")
    add = list_url(LinkedLogin) + "add/"
    assert text_of(admin_client, add)
    response = admin_client.post(add, {"account": account.pk, "user_id": str(user_id)})
    assert response.status_code == 302
    link = LinkedLogin.objects.get(account=account)
    assert link.user_id == user_id
    assert shown(admin_client, list_url(LinkedLogin, q=str(user_id))) == ["ada"]
    assert inline_code(text_of(admin_client, row_url(link))) == []


def test_log_in_cannot_be_linked_to_a_user_that_was_never_registered(admin_client: Client) -> None:
    account = Account.objects.create_user("ada")
    data = {"account": account.pk, "user_id": str(new_id())}
    response = admin_client.post(list_url(LinkedLogin) + "add/", data)
    assert "No user with this id was ever registered." in response.content.decode()
    assert not LinkedLogin.objects.exists()


def test_link_can_be_pointed_at_another_user_but_not_moved_to_another_account(
    admin_client: Client,
) -> None:
    account, other = Account.objects.create_user("ada"), Account.objects.create_user("bob")
    link = LinkedLogin.objects.create(account=account, user_id=registered("ada"))
    user_id = registered("bob")
    admin_client.post(row_url(link), {"account": other.pk, "user_id": str(user_id)})
    assert list(LinkedLogin.objects.values_list("account", "user_id")) == [(account.pk, user_id)]


def test_claims_are_listed_by_address_and_found_by_it(admin_client: Client) -> None:
    registered("bob")
    registered("ada")
    assert shown(admin_client, list_url(EmailClaim)) == ["ada@example.com", "bob@example.com"]
    assert shown(admin_client, list_url(EmailClaim, q="BOB@example.com")) == ["bob@example.com"]
