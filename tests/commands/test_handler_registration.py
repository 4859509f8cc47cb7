from __future__ import annotations

import pytest

from events.command_bus import CommandBus, command_bus, handles
from events.exceptions import RegistrationError
from tests.commands.shelf import ShelveBook, ShelveBooks
from users.commands import DeactivateUser, LogInUser, RegisterUser


def test_a_handler_is_registered_by_decorator_and_stays_a_function():
    bus = CommandBus()

    @bus.handles(ShelveBook)
    def shelve(command):
        return "shelved"

    assert list(bus) == [ShelveBook]
    assert shelve(None) == "shelved"


def test_a_second_handler_for_a_command_is_refused_with_both():
    bus = CommandBus()
    bus.handles(ShelveBook)(first)
    with pytest.raises(RegistrationError, match=r"ShelveBook has two handlers: .*first.*second"):
        bus.handles(ShelveBook)(second)


def test_the_same_handler_may_be_registered_again():
    bus = CommandBus()
    for _ in range(2):
        bus.register(ShelveBook, first)
    assert list(bus) == [ShelveBook]


def test_buses_do_not_share_handlers():
    one, other = CommandBus(), CommandBus()
    one.register(ShelveBook, first)
    other.register(ShelveBooks, second)
    assert list(one) != list(other)


@pytest.mark.parametrize("target", [str, lambda command: None, "tests.ShelveBook", None])
def test_a_handler_of_something_that_is_no_command_is_refused(target):
    with pytest.raises(RegistrationError, match="command"):
        CommandBus().handles(target)(first)


def test_the_handlers_of_installed_apps_are_found_at_start_up():
    assert {RegisterUser, LogInUser, DeactivateUser} <= set(command_bus)
    assert handles.__self__ is command_bus


def first(command):
    pass


def second(command):
    pass
