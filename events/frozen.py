"""Makes instances of frozen, slotted dataclasses without their `__init__`, several times as fast.

Only for code that makes millions of them from checked values. A frozen `__init__` looks up and
calls `object.__setattr__` for each field; here each slot is set directly.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


def maker(cls: type[T], names: Iterable[str]) -> Callable[[Iterable[Any]], T]:
    """A function from the values of these fields, in their order, to an instance. Fields that are
    not among them get their default, which must be a plain one. `__post_init__` is not called."""
    others = {field.name: field.default for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    given = list(names)
    for name in given:
        del others[name]
    # Written out as `dataclasses` does with `__init__`: a loop takes twice the time.
    lines = [f"{', '.join(f'value_{number}' for number in range(len(given)))}, = values"]
    lines += ["instance = new(cls)"]
    lines += [f"set_{number}(instance, value_{number})" for number in range(len(given))]
    lines += [f"set_{name}(instance, default_{name})" for name in others]
    lines += ["return instance"]
    scope: dict[str, Any] = {"new": object.__new__, "cls": cls}
    scope |= {f"set_{number}": getattr(cls, name).__set__ for number, name in enumerate(given)}
    scope |= {f"set_{name}": getattr(cls, name).__set__ for name in others}
    scope |= {f"default_{name}": value for name, value in others.items()}
    exec("def make(values):\n    " + "\n    ".join(lines), scope)
    make: Callable[[Iterable[Any]], T] = scope["make"]
    return make
