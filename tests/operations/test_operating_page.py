"""The commands that docs/operating.md tells people to type are there, with these options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

PAGE = Path(__file__).parents[2] / "docs" / "operating.md"
COMMANDS = re.findall(r"python manage\.py (\w+)([^\n`|]*)", PAGE.read_text())


def test_the_page_has_commands():
    assert {name for name, _ in COMMANDS} == {"subscriptions", "dead_letters", "sagas"}


@pytest.mark.parametrize(("name", "arguments"), COMMANDS, ids=lambda text: text.strip() or "alone")
def test_a_command_of_the_page_can_be_typed(name, arguments):
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)

    parser.parse_args(shlex.split(arguments))
