"""The README is true: its code runs, its commands and links exist."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.fixture
def library(monkeypatch):
    """A module in which the README's code stands as if it were one file."""
    module = ModuleType("library")
    monkeypatch.setitem(sys.modules, "library", module)
    return module


@pytest.mark.django_db
def test_the_code_of_the_tutorial_runs(library):
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    tutorial = blocks[: next(i for i, block in enumerate(blocks) if "INSTALLED_APPS" in block)]
    assert len(tutorial) >= 6
    for block in tutorial:
        exec(compile(block, "README.md", "exec"), vars(library))


def test_each_make_target_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"make ([a-z-]+)", README))
    assert named
    assert named <= targets


def test_each_link_and_named_file_exists():
    links = re.findall(r"\]\((?!http)([^)]+)\)", README)
    files = re.findall(r"`((?:events|users|config|docs)/[\w./]*)`", README)
    assert links
    assert files
    assert [path for path in links + files if not _exists(path)] == []


def _exists(link: str) -> bool:
    path, _, anchor = link.partition("#")
    if not anchor:
        return (ROOT / path).exists()
    headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(), re.MULTILINE)
    return anchor in {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}
