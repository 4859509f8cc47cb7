"""What operators come for, in a browser."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from browser.shop import EMAIL, FAILING, Newsletter, Shop
from events.command_bus import command_bus
from events.delivery.draining import drain
from events.identifiers import new_id
from events.models import FailedEvent, OperatorAction
from users.commands import RegisterUser


@pytest.fixture
def customers_are_indexed(transactional_db: None) -> object:
    if connection.vendor != "postgresql":
        pytest.fail("Run it by `make browser`, which has PostgreSQL.")
    call_command("event_indexes", "add", "data.user_id", verbosity=0)
    yield
    call_command("event_indexes", "drop", "data.user_id", verbosity=0)


def search(page: Page, text: str) -> None:
    page.fill("#searchbar", text)
    page.press("#searchbar", "Enter")


def test_order_is_found_by_the_id_of_its_customer(
    customers_are_indexed: None, page: Page, shop: Shop
) -> None:
    search(page, f"data.user_id:{shop.customer} type:OrderPlaced")
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(3)
    rows.last.locator("th a").click()
    expect(page.locator("h1").last).to_have_text("OrderPlaced")
    expect(page.locator(".explorer-facts")).to_contain_text(str(shop.good_order))


def test_why_an_order_was_cancelled_is_told_by_its_trace(page: Page, shop: Shop) -> None:
    search(page, f"Order-{shop.declined_order}")
    page.locator("#result_list tbody tr").last.locator("th a").click()
    page.get_by_role("link", name="Trace", exact=True).click()
    table = page.locator(".explorer-waterfall")
    expect(table).to_contain_text("PaymentFailed")
    expect(table).to_contain_text("OrderCancelled")
    expect(page.locator("svg.explorer-graph")).to_be_visible()
    table.get_by_role("link", name="PaymentFailed").first.click()
    expect(page.locator("#data-heading")).to_be_visible()
    expect(page.locator("#content")).to_contain_text("declined")


def test_state_is_walked_through_and_searched(page: Page, shop: Shop) -> None:
    search(page, "Stock-quill")
    page.locator("#result_list tbody tr").first.locator("th a").click()
    page.get_by_role("link", name="State at this version").click()
    page.keyboard.press("[")
    expect(page.locator("h1").last).to_contain_text("State at version")
    page.fill("input[name=field]", "reserved")
    page.select_option("select[name=operator]", ">")
    page.fill("input[name=value]", "0")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("status").last).to_have_text("At version 1")


def test_personal_data_is_shown_after_a_reason_was_given(page: Page, shop: Shop) -> None:
    search(page, f"User-{shop.customer}")
    page.locator("#result_list tbody tr").last.locator("th a").click()
    expect(page.locator("body")).not_to_contain_text(EMAIL)
    page.locator(".explorer-personal summary").click()
    page.fill(".explorer-personal input[name=reason]", "ticket 7")
    page.get_by_role("button", name="Show for ten minutes").click()
    expect(page.locator("#content")).to_contain_text(EMAIL)
    assert OperatorAction.objects.get(action="reveal").reason == "ticket 7"
    page.get_by_role("button", name="Hide it again").click()
    expect(page.locator("body")).not_to_contain_text(EMAIL)


def test_dead_letter_is_retried_after_its_handler_was_mended(page: Page, shop: Shop) -> None:
    assert FailedEvent.objects.get(subscription_id=FAILING).status == FailedEvent.Status.DEAD
    Newsletter.is_mended = True
    page.goto("/admin/events/failedevent/")
    page.locator("#result_list tbody tr").first.locator("th a").click()
    page.get_by_role("link", name="Retry", exact=True).click()
    page.get_by_role("button", name="Retry").or_(page.locator("input[value=Retry]")).first.click()
    expect(page.locator(".messagelist")).to_be_visible()
    drain()
    assert Newsletter.sent == [str(shop.customer)]
    assert not FailedEvent.objects.filter(subscription_id=FAILING).exists()


def test_saga_that_waits_in_vain_is_compensated_after_a_look_at_what_will_happen(
    page: Page, shop: Shop
) -> None:
    page.goto(f"/admin/sagas/sagainstance/?q={shop.waiting_order}")
    page.locator("#result_list tbody tr").first.locator("th a").click()
    page.locator("#content").get_by_role("link", name="Compensate", exact=True).click()
    expect(page.locator("#content")).to_contain_text("These are undone, in this order:")
    expect(page.locator("#content")).to_contain_text("ReleaseInventory")
    page.fill("textarea[name=reason]", "the gateway is gone")
    page.locator("input[type=submit][value=Compensate]").click()
    expect(page.locator(".messagelist")).to_be_visible()
    drain(raise_errors=False)
    action = OperatorAction.objects.get(action="saga_compensate")
    assert action.reason == "the gateway is gone"
    page.goto(f"/admin/events/event/?q=stream:Reservation-{shop.waiting_order}")
    expect(page.locator("#result_list")).to_contain_text("InventoryReleased")


def test_list_follows_what_is_appended(page: Page, shop: Shop) -> None:
    page.goto("/admin/events/event/?q=type:UserRegistered")
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Follow live").click()
    command_bus.dispatch(RegisterUser(user_id=new_id(), email="eve@example.com", name="Eve"))
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Stop following").click()


def test_rows_are_reached_by_keys(page: Page, shop: Shop) -> None:
    page.goto("/admin/events/event/")
    page.keyboard.press("/")
    expect(page.locator("#searchbar")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("#result_list tbody tr").first.locator("a").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#data-heading")).to_be_visible()


def test_pages_do_without_a_script(
    browser: Browser, live_server: LiveServer, page: Page, shop: Shop
) -> None:
    context = browser.new_context(
        base_url=live_server.url,
        java_script_enabled=False,
        storage_state=page.context.storage_state(),
    )
    plain = context.new_page()
    plain.goto(f"/admin/events/event/?q=stream:Order-{shop.good_order}")
    plain.locator("#result_list tbody tr").last.locator("th a").click()
    expect(plain.locator("#data-heading")).to_be_visible()
    plain.locator("details.explorer-raw summary").first.click()
    expect(plain.locator("#data-text")).to_be_visible()
    context.close()
