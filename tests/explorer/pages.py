"""Pages of the admin, as a visitor sees them: addresses, links, cells."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlencode

from django.db.models import Model
from django.test import Client
from django.urls import reverse


def list_url(model: type[Model], **parameters: str) -> str:
    options = model._meta
    url = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return f"{url}?{urlencode(parameters)}" if parameters else url


def row_url(row: Model, view: str = "change") -> str:
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{view}", args=[row.pk])


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, response
    return response.content.decode()


def shown(client: Client, url: str) -> list[str]:
    """The first cell of each row of the list at the address."""
    cells = re.findall(r'<th class="field-[^"]*">(.*?)</th>', text_of(client, url))
    return [unescape(re.sub(r"<[^>]*>", "", cell)) for cell in cells]


def links(html: str) -> dict[str, str]:
    """Text -> address, of the first link with that text."""
    found: dict[str, str] = {}
    for attributes, text in re.findall(r"<a\s([^>]*)>(.*?)</a>", html, re.DOTALL):
        if address := re.search(r'href="([^"]*)"', attributes):
            found.setdefault(unescape(text.strip()), unescape(address[1]))
    return found


class InlineCode(HTMLParser):
    """Collects what a content security policy without `unsafe-inline` refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = dict(attributes)
        self._open = tag if tag in ("style", "script") and "src" not in names else ""
        self.found += [name for name in names if name == "style" or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.found.append(f"<{self._open}>{data}")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""


def inline_code(html: str) -> list[str]:
    parser = InlineCode()
    parser.feed(html)
    return parser.found
