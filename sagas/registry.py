"""The definitions of this process, in all their versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from events.exceptions import RegistrationError

from .exceptions import DefinitionChanged, DefinitionNotFound
from .plan import Plan
from .state import SagaState


class Definitions:
    def __init__(self) -> None:
        self._plans: dict[str, dict[int, Plan]] = {}
        #: Called when there is another one.
        self.observers: list[Callable[[], object]] = []

    def __iter__(self) -> Iterator[Plan]:
        """All versions of all sagas."""
        return (plan for versions in self._plans.values() for plan in versions.values())

    def register(self, plan: Plan) -> None:
        versions = self._plans.setdefault(plan.saga_type, {})
        taken = versions.get(plan.version)
        if taken is not None and _place(taken) != _place(plan):
            raise RegistrationError(
                f"{plan.saga_type} version {plan.version} is defined by {taken.definition!r} "
                f"and again by {plan.definition!r}: raise the version of the newer one."
            )
        versions[plan.version] = plan
        for observer in self.observers:
            observer()

    def latest(self, saga_type: str) -> Plan:
        """The one that new instances begin with. Raises DefinitionNotFound."""
        versions = self._plans.get(saga_type)
        if not versions:
            raise DefinitionNotFound(saga_type, None)
        return versions[max(versions)]

    def all_latest(self) -> Iterator[Plan]:
        return (self.latest(saga_type) for saga_type in self._plans)

    def plan_of(self, state: SagaState) -> Plan:
        """The one that this instance began with. Raises DefinitionNotFound, DefinitionChanged."""
        plan = self._plans.get(state.saga_type, {}).get(state.definition_version)
        if plan is None:
            raise DefinitionNotFound(state.saga_type, state.definition_version)
        if plan.fingerprint != state.fingerprint:
            raise DefinitionChanged(state.saga_id, plan.saga_type, plan.version)
        return plan


def _place(plan: Plan) -> tuple[str, str]:
    return plan.definition.__module__, plan.definition.__qualname__


definitions = Definitions()
