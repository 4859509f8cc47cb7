"""Upcasters turn the stored data of version n of an event into version n + 1, whenever it is read.

The stored row never changes. Each is a plain function on a plain dict:

    @upcasts("UserRegistered", from_version=1)
    def split_name(data):
        ...
        return data
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import TypeAlias

from .codec import JsonObject
from .exceptions import RegistrationError, UpcastingFailed

Upcaster: TypeAlias = Callable[[JsonObject], JsonObject]


class UpcasterChain:
    """All upcasters, by event type and the version that they start from."""

    def __init__(self) -> None:
        self._upcasters: dict[tuple[str, int], Upcaster] = {}

    def register(self, event_type: str, from_version: int, upcaster: Upcaster) -> None:
        if type(from_version) is not int or from_version < 1:
            raise RegistrationError(
                f"An upcaster of {event_type} starts from {from_version!r}, not from 1, 2, 3, ..."
            )
        key = (event_type, from_version)
        if self._upcasters.setdefault(key, upcaster) is not upcaster:
            raise RegistrationError(
                f"Two upcasters start from {event_type} version {from_version}."
            )

    def find(self, event_type: str, from_version: int) -> Upcaster | None:
        return self._upcasters.get((event_type, from_version))

    def unused_steps(self, current_versions: Mapping[str, int]) -> list[tuple[str, int]]:
        """Upcasters of types, or from versions, that no code has; given the current version of each
        type."""
        return [
            (event_type, version)
            for event_type, version in self._upcasters
            if version >= current_versions.get(event_type, 1)
        ]

    def missing_steps(self, event_type: str, current_version: int) -> list[int]:
        """The versions below the current one that no upcaster starts from."""
        return [
            version
            for version in range(1, current_version)
            if (event_type, version) not in self._upcasters
        ]

    def upcast(
        self, event_type: str, from_version: int, to_version: int, data: JsonObject
    ) -> JsonObject:
        data = deepcopy(data)  # upcasters may change it, the recorded event keeps what is stored
        for version in range(from_version, to_version):
            upcaster = self.find(event_type, version)
            if upcaster is None:
                raise UpcastingFailed(event_type, version, "no upcaster starts from this version")
            try:
                data = upcaster(data)
            except Exception as error:
                raise UpcastingFailed(event_type, version, repr(error)) from error
            if not isinstance(data, dict):
                raise UpcastingFailed(event_type, version, f"the upcaster returned {data!r:.60}")
        return data


upcasters = UpcasterChain()


def upcasts(event_type: str, *, from_version: int) -> Callable[[Upcaster], Upcaster]:
    """Registers the decorated function for stored events of this type and version."""

    def register(upcaster: Upcaster) -> Upcaster:
        upcasters.register(event_type, from_version, upcaster)
        return upcaster

    return register
