"""The pages in docs/ are true: their code runs, their links exist."""

from __future__ import annotations

import re
import sys
from copy import deepcopy
from pathlib import Path
from types import ModuleType

import pytest
from django.contrib.admin import site

from events.api.catalogue import command_slug
from events.command_bus import command_bus
from events.explorer.extensions import explorer
from events.models import SavedView
from events.personal import personal_names
from events.projections import projections
from events.registry import command_types, event_types
from sagas.registry import definitions
from sagas.sending import subscribe_to_requests

DOCS = Path(__file__).parent.parent / "docs"
EVENTS_AND_JSON = (DOCS / "events-and-json.md").read_text()
EXPLORER = (DOCS / "explorer.md").read_text()
IMPORTING = (DOCS / "importing.md").read_text()
SAGAS = (DOCS / "sagas.md").read_text()
ONLY_POSTGRESQL = "## What jsonb changes"


@pytest.fixture
def page(monkeypatch):
    """A module in which the code of a page stands as if it were one file, and then is forgotten."""
    for owner, name in [
        (event_types, "_classes"),
        (event_types, "_codecs"),
        (event_types, "_makers"),
        (event_types.upcasters, "_upcasters"),
        (command_types, "_classes"),
        (command_types, "_codecs"),
        (command_bus, "_handlers"),
        (definitions, "_plans"),
    ]:
        monkeypatch.setattr(owner, name, dict(getattr(owner, name)))
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    return module


def sections(text):
    """Blocks of code by the heading that they stand under."""
    headings = re.split(r"^(## .*)$", text, flags=re.MULTILINE)
    return {
        heading: re.findall(r"```python\n(.*?)```", body, re.DOTALL)
        for heading, body in zip(headings[1::2], headings[2::2], strict=True)
    }


def run(blocks, page):
    assert blocks
    for block in blocks:
        assert "assert " in block
        exec(compile(block, "page", "exec"), vars(page))


@pytest.mark.django_db
def test_the_code_about_events_and_json_runs(page):
    by_heading = sections(EVENTS_AND_JSON)
    run([b for h, blocks in by_heading.items() if h != ONLY_POSTGRESQL for b in blocks], page)


@pytest.mark.django_db
@pytest.mark.postgresql
def test_the_code_about_jsonb_runs(page):
    run(sections(EVENTS_AND_JSON)[ONLY_POSTGRESQL], page)


@pytest.mark.django_db
def test_the_code_about_sagas_runs(page, no_other_subscriptions):
    subscribe_to_requests()
    run([block for blocks in sections(SAGAS).values() for block in blocks], page)


@pytest.mark.django_db
def test_the_code_about_importing_runs(page):
    run([block for blocks in sections(IMPORTING).values() for block in blocks], page)


@pytest.mark.django_db
def test_the_code_about_the_explorer_runs(page, monkeypatch):
    for name in ("_links", "_panels", "columns"):
        monkeypatch.setattr(explorer, name, deepcopy(getattr(explorer, name)))
    for blocks in sections(EXPLORER).values():
        for block in blocks:
            exec(compile(block, "page", "exec"), vars(page))
    assert personal_names([page.MemberJoined]) == {"email"}
    assert [column.title for column in explorer.columns.values()] == ["Plan"]
    assert str(page.MemberAdmin(SavedView, site).events_stream(SavedView(pk=7))) == "Member-7"


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.stem)
def test_each_link_of_a_page_exists(path):
    links = re.findall(r"\]\((?!http)([^)#]+)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_page_of_the_shop_names_its_commands_events_and_read_models():
    page = (DOCS / "shop.md").read_text()
    [table] = re.findall(r"## Commands\n(.*?)\n## ", page, re.DOTALL)
    commands = [each for each in command_types if each.__module__ == "orders.commands"]
    assert set(re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE)) == {
        command_slug(each.command_type) for each in commands
    }
    assert set(re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", table)) == {
        each.event_type for each in event_types if each.__module__ == "orders.events"
    }
    assert set(re.findall(r"\| `(orders\.\w+)` \|", page)) == {
        each.name for each in projections if each.name.startswith("orders.")
    }
