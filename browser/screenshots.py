"""`make screenshots`: each page, on a wide screen and a narrow one, light and dark."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from browser.pages import addresses
from browser.shop import Shop

DIRECTORY = Path(__file__).parents[1] / "build" / "screenshots"


def test_each_page_is_rendered(page: Page, shop: Shop) -> None:
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for name, url in addresses(shop).items():
        for width in (1280, 400):
            page.set_viewport_size({"width": width, "height": 900})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                response = page.goto(url)
                assert response is not None, url
                assert response.ok, url
                page.screenshot(path=DIRECTORY / f"{name}-{width}-{scheme}.png", full_page=True)
