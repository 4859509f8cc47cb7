"""Every error of this app. Wrong declarations raise `events.exceptions.RegistrationError`."""

from __future__ import annotations

from datetime import datetime

from events.exceptions import CommandRefused, EventsError


class SagasError(EventsError):
    """Root of all errors of this app but the refusals."""


class SagaNotStarted(SagasError):
    """An answer came before the start that it belongs to. Keep it, and give it again after that."""

    def __init__(self, given: str) -> None:
        self.given = given
        super().__init__(f"{given} came for a saga that has not started.")


class SagaAlreadyStarted(SagasError):
    """Another message has started a saga with this key. A key is used once, for ever."""

    def __init__(self, saga_id: str, started_by: str) -> None:
        self.saga_id = saga_id
        super().__init__(f"{saga_id} was started by {started_by}: a key can't be used again.")


class SagaIsBlocked(SagasError):
    """What comes for this saga has to wait, in order, until an operator releases it."""

    def __init__(self, saga_id: str, reason: str) -> None:
        self.saga_id = saga_id
        super().__init__(f"{saga_id} is blocked: {reason}")


class DefinitionNotFound(SagasError):
    """No class in this process defines this saga in this version (None: in any)."""

    def __init__(self, saga_type: str, version: int | None) -> None:
        self.saga_type = saga_type
        self.version = version
        which = "" if version is None else f" version {version}"
        super().__init__(
            f"No saga is defined as {saga_type}{which}: keep a definition until its last instance "
            "has ended, in a module that is imported at the start."
        )


class DefinitionChanged(SagasError):
    """The steps of a version are not those that an instance began with."""

    def __init__(self, saga_id: str, saga_type: str, version: int) -> None:
        self.saga_id = saga_id
        super().__init__(
            f"{saga_id} began with other steps than {saga_type} version {version} has now: "
            "restore them, and change them in a new version."
        )


class TimerNotDue(SagasError):
    """A timer fired early. Leave it as it is, and fire it when it is due."""

    def __init__(self, due_at: datetime, at: datetime) -> None:
        self.due_at = due_at
        super().__init__(f"Due at {due_at.isoformat()}, fired at {at.isoformat()}.")


class AmbiguousAnswer(SagasError):
    """An event answers several steps, and its cause is none of their commands."""

    def __init__(self, saga_id: str, event_type: str, steps: list[str]) -> None:
        self.saga_id = saga_id
        super().__init__(
            f"{event_type} can be an answer to {', '.join(steps)} of {saga_id}, and its "
            "causation id, which would tell, is that of none of their commands."
        )


class ActionNotPossible(CommandRefused):
    """An operator asked for what the state of the saga doesn't allow."""

    code = "saga_action_not_possible"
