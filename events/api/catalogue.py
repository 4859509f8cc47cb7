"""Which command a URL means, and who may send it."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

from ..exceptions import RegistrationError, UnknownCommandType
from ..messages import Command
from ..names import lower_case
from ..registry import command_types


@cache
def command_slug(command_type: str) -> str:
    """`RegisterUser` is sent to `register-user`, `shop.PlaceOrder` to `shop.place-order`."""
    return lower_case(command_type, "-")


def get_command_class(slug: str) -> type[Command]:
    """Among those registered now. Raises UnknownCommandType, or RegistrationError where two have
    the same slug."""
    found = [cls for cls in command_types if command_slug(cls.command_type) == slug]
    if not found:
        raise UnknownCommandType(slug)
    if len(found) > 1:
        names = " and ".join(cls.command_type for cls in found)
        raise RegistrationError(f"{names} would have the same URL, {slug}: rename one.")
    return found[0]


def may_send(user: Any, command_class: type[Command]) -> bool:
    """By the command's own permission; one without is for superusers."""
    if user is None or not user.is_active:
        return False
    if command_class.permission is None:
        return bool(user.is_superuser)
    return bool(user.has_perm(command_class.permission))


def commands_for(user: Any) -> list[type[Command]]:
    allowed = [cls for cls in command_types if may_send(user, cls)]
    return sorted(allowed, key=lambda cls: command_slug(cls.command_type))


def describe(command_class: type[Command]) -> str:
    """The docstring, but not the signature that a dataclass without one gets."""
    text = inspect.cleandoc(command_class.__doc__ or "")
    return "" if text.startswith(f"{command_class.__name__}(") else text
