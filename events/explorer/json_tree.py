"""A JSON value as a tree of rows that a template folds out. Big integers and hidden values stay
what they are; a value of many thousand parts is cut, and says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..personal import Hidden

MAX_NODES = 1_000
#: Folded out at first.
OPEN_DEPTH = 2


@dataclass(slots=True, kw_only=True)
class Node:
    """`kind` is string, number, boolean, null, hidden, object or array."""

    name: str
    kind: str
    #: Of a leaf, as JSON writes it.
    text: str = ""
    children: list[Node] = field(default_factory=list)
    is_open: bool = False
    #: How many of its parts are left out.
    left_out: int = 0

    @property
    def size(self) -> int:
        return len(self.children) + self.left_out


def tree(value: Any) -> Node:
    return _node("", value, 0, _Budget(MAX_NODES))


@dataclass(slots=True)
class _Budget:
    left: int


def _node(name: str, value: Any, depth: int, budget: _Budget) -> Node:
    budget.left -= 1
    if isinstance(value, dict | list | tuple):
        kind = "object" if isinstance(value, dict) else "array"
        node = Node(name=name, kind=kind, is_open=depth < OPEN_DEPTH)
        parts = list(_parts(value))
        for key, part in parts:
            if budget.left <= 0:
                break
            node.children.append(_node(key, part, depth + 1, budget))
        node.left_out = len(parts) - len(node.children)
        return node
    return Node(name=name, kind=_kind(value), text=_text(value))


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((str(key), part) for key, part in value.items())
    else:
        yield from ((str(index), part) for index, part in enumerate(value))


def _kind(value: Any) -> str:
    if isinstance(value, Hidden):
        return "hidden"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "string"


def _text(value: Any) -> str:
    if isinstance(value, Hidden):
        return str(value)
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text.encode(errors="backslashreplace").decode()
