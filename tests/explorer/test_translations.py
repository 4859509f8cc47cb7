"""The one full translation besides English: that nothing is missing in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.test import Client

from events.models import Event
from tests.explorer.pages import list_url, row_url, text_of
from tests.explorer.rows import stored_event

ROOT = Path(__file__).parents[2]
FUNCTIONS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
IN_TEMPLATES = re.compile(r"""(?:\{%\s*translate\s+|[\s=]_\()"((?:[^"\\]|\\.)*)\"""")
LANGUAGE = "de"


def texts_of_code(app: Path) -> Iterator[tuple[Path, str]]:
    for path in app.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(text)), *_]):
                    if name in FUNCTIONS:
                        yield path, text


def texts_of_templates(app: Path) -> Iterator[tuple[Path, str]]:
    for path in app.rglob("templates/**/*.html"):
        for text in IN_TEMPLATES.findall(path.read_text()):
            yield path, text


@pytest.mark.parametrize("app", ["events", "sagas"])
def test_every_text_is_translated(app: str) -> None:
    directory = ROOT / app / "locale" / LANGUAGE / "LC_MESSAGES"
    with (directory / "django.mo").open("rb") as compiled:
        catalogue = GNUTranslations(compiled)._catalog  # type: ignore[attr-defined]
    known = {key[0] if isinstance(key, tuple) else key for key in catalogue}
    texts = [*texts_of_code(ROOT / app), *texts_of_templates(ROOT / app)]
    assert len(texts) > 50, "no texts were found"
    missing = {text: str(path.relative_to(ROOT)) for path, text in texts if text not in known}
    assert not missing, "Run `make messages`, and translate what is new."


def test_pages_speak_the_language_of_the_site(admin_client: Client, settings) -> None:
    settings.LANGUAGE_CODE = LANGUAGE
    event = stored_event()
    html = text_of(admin_client, list_url(Event))
    assert "letzte 24 Stunden" in html
    assert "Verursacht von der Nachricht" in text_of(admin_client, row_url(event))
