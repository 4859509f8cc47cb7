"""What the commands for operators have in common."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from ..exceptions import EventsError


def add_actor(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--actor", help="Who does this, for the operator log. Your login name by default."
    )


def actor_of(given: str | None) -> str:
    if given is not None:
        return given
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise CommandError("This system doesn't know your name: say it with --actor.") from error


@contextmanager
def refusals_as_command_errors() -> Iterator[None]:
    try:
        yield
    except EventsError as error:
        raise CommandError(str(error)) from error
