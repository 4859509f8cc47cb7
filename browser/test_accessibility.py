"""What axe, and a narrow screen, find wrong with the pages."""

from __future__ import annotations

from typing import Any

from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Page

from browser.pages import addresses
from browser.shop import Shop

WIDTHS = (1280, 400)
# Of the admin's own frame, which is Django's to mend: the sidebar's tables have no headings.
NOT_OURS = "#nav-sidebar, #header, #toggle-nav-sidebar, .breadcrumbs, #changelist-filter, #footer"


def violations(page: Page) -> list[dict[str, Any]]:
    result = Axe().run(
        page,
        context={"include": [["#content"]], "exclude": [[NOT_OURS]]},
        options={"runOnly": ["wcag2a", "wcag2aa"]},
    )
    return list(result["violations"])


def test_axe_finds_a_fault_that_is_there(page: Page, shop: Shop) -> None:
    page.goto(addresses(shop)["event"])
    page.evaluate("document.querySelector('#content').append(document.createElement('img'))")
    assert [each["id"] for each in violations(page)] == ["image-alt"]


def test_no_page_has_a_fault_that_axe_finds(page: Page, shop: Shop) -> None:
    faults = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for name, url in addresses(shop).items():
            page.goto(url)
            faults += [
                f"{name}, {scheme}: {each['id']}: {each['nodes'][0]['html'][:160]}"
                for each in violations(page)
            ]
    assert not faults, "\n".join(faults)


def test_no_page_is_wider_than_the_screen(page: Page, shop: Shop) -> None:
    wide = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for name, url in addresses(shop).items():
            page.goto(url)
            found = page.evaluate("document.documentElement.scrollWidth")
            if found > width:
                wide.append(f"{name} at {width}: {found}")
    assert not wide, "\n".join(wide)
