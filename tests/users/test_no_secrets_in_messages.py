from __future__ import annotations

import dataclasses
import re

from events.registry import command_types, event_types

SECRET = re.compile(r"pass|secret|hash|token|credential|salt", re.IGNORECASE)


def test_no_event_or_command_of_the_shop_has_a_field_for_a_secret():
    messages = [
        cls for cls in (*event_types, *command_types) if not cls.__module__.startswith("tests.")
    ]
    assert "UserRegistered" in {cls.__name__ for cls in messages}
    fields = [(cls.__name__, field.name) for cls in messages for field in dataclasses.fields(cls)]
    assert [(cls, name) for cls, name in fields if SECRET.search(name)] == []
