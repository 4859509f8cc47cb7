"""A site with orders of all fates on it, and a browser in which an operator is logged in."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from browser.shop import Shop, fill_shop

# Playwright's own loop runs in the thread of the tests, and Django would refuse to ask the
# database beside one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

NAME = "operator"
TIMEOUT_MS = 10_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or None,
            # A container's root has no sandbox to offer.
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        yield found
        found.close()


@pytest.fixture
def shop(transactional_db: None) -> Shop:
    return fill_shop()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, shop: Shop) -> Iterator[Page]:
    """Of a superuser. What a browser complains about fails the test: a refused inline style is
    seen nowhere else."""
    complaints: list[str] = []
    context = browser.new_context(base_url=live_server.url)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    page.on("console", lambda message: complaints.extend(_complaint(message)))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    log_in(page)
    yield page
    context.close()
    assert complaints == []


def log_in(page: Page, name: str = NAME) -> None:
    if not User.objects.filter(username=name).exists():
        User.objects.create_superuser(name, password=name)
    page.goto("/admin/login/?next=/admin/events/event/")
    page.fill("#id_username", name)
    page.fill("#id_password", name)
    page.click("input[type=submit]")


def _complaint(message: ConsoleMessage) -> list[str]:
    is_icon = "favicon.ico" in str(message.location.get("url"))
    return [message.text] if message.type in ("error", "warning") and not is_icon else []
