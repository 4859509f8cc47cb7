"""From a command to its one handler, in a transaction, again on conflict, once for each command id.

Called by `api.views` and, later, by sagas; handlers load and save through `repository`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, overload
from uuid import UUID

from django.db import OperationalError, transaction

from .codec import JsonObject
from .command_records import AlreadyClaimed, CommandRecords, CommandResult
from .conf import events_settings
from .context import current_context, message_context
from .exceptions import (
    CommandRefused,
    ConcurrencyError,
    EncodingError,
    HandlerNotRegistered,
    InvalidAnswer,
    InvalidInput,
    OpenTransaction,
    RegistrationError,
    StaleVersion,
)
from .identifiers import new_id
from .json_text import check_plain
from .messages import Command
from .registry import command_types
from .store.appending import collecting_appends
from .store.errors import sqlstate

CommandT = TypeVar("CommandT", bound=Command)
OutcomeT = TypeVar("OutcomeT")
Handler: TypeAlias = Callable[..., Any]
Ask: TypeAlias = Callable[[Any], Any]

# Serialization failure, deadlock detected: the transaction is gone, and may succeed when run again.
_RETRYABLE = {"40001", "40P01"}

_NOT_ASKED: Any = object()


@dataclass(frozen=True, slots=True)
class _Registration:
    handler: Handler
    ask: Ask | None


class CommandBus:
    """One handler for each command class."""

    def __init__(self) -> None:
        self._handlers: dict[type[Command], _Registration] = {}

    def __iter__(self) -> Iterator[type[Command]]:
        """The command classes that have a handler."""
        return iter(self._handlers)

    def register(
        self, command_class: type[Command], handler: Handler, *, ask: Ask | None = None
    ) -> None:
        if not (isinstance(command_class, type) and issubclass(command_class, Command)):
            raise RegistrationError(f"{command_class!r} isn't a command class.")
        registration = _Registration(handler, ask)
        taken = self._handlers.setdefault(command_class, registration)
        if taken != registration:
            raise RegistrationError(
                f"{command_class.__name__} has two handlers: {taken.handler!r} and {handler!r}."
            )

    @overload
    def handles(
        self, command_class: type[CommandT]
    ) -> Callable[[Callable[[CommandT], Any]], Callable[[CommandT], Any]]: ...

    @overload
    def handles(
        self, command_class: type[CommandT], *, ask: Callable[[CommandT], OutcomeT]
    ) -> Callable[[Callable[[CommandT, OutcomeT], Any]], Callable[[CommandT, OutcomeT], Any]]: ...

    def handles(
        self, command_class: type[CommandT], *, ask: Ask | None = None
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Registers the decorated function. What it returns must be plain JSON, or None.

        `ask` is for what no transaction can undo, such as a call of another system. It is called
        with the command before the transaction opens, and what it returns is handed to the handler
        as a second argument, to be recorded. A crash between the two repeats it: it must have one
        effect, and the same outcome, however often it is called for the same thing. What it raises
        reaches the caller and leaves no record, refusals included.
        """

        def register(handler: Callable[..., Any]) -> Callable[..., Any]:
            self.register(command_class, handler, ask=ask)
            return handler

        return register

    def asks_first(self, command_class: type[Command]) -> bool:
        """Whether the command's handler is handed the outcome of an `ask`."""
        return self._registration(command_class).ask is not None

    def ask(self, command: Command) -> Any:
        """The first half of `dispatch`, for who runs the second in a transaction of its own.

        Raises OpenTransaction: a roll-back could not undo what the other system did.
        """
        _checked(command, None)
        ask = self._registration(type(command)).ask
        if ask is None:
            raise InvalidInput("command", f"{command.command_type} asks nothing")
        _refuse_open_transaction(command)
        return ask(command)

    def recall(self, command: Command, command_id: UUID) -> CommandResult | None:
        """What was answered under this id; None if nothing was. For who runs `ask` apart: there
        is nothing to be asked then.

        Raises CommandRefused where that was the answer, CommandIdReused.
        """
        records = CommandRecords(command, command_id, _checked(command, None))
        return records.answer() if records.exist() else None

    def dispatch(
        self,
        command: Command,
        *,
        command_id: UUID | None = None,
        sent: JsonObject | None = None,
        outcome: Any = _NOT_ASKED,
        joins: bool = False,
    ) -> CommandResult:
        """Runs the handler in a transaction (or joins the open one) and returns its answer.

        When someone else changes the same stream meanwhile, everything is rolled back and tried
        again, `EVENTS["command_attempts"]` times in all; then ConcurrencyError is raised.
        CommandRefused comes from a business rule; nothing has changed then.

        The command is the cause of its events. Where it was dispatched while another message was
        handled, they name that one too, as `command_causation_id` in their metadata.

        With a `command_id` the answer, refusals included, is recorded: the same id again is
        answered from the record without running the handler, also while the first still runs. The
        id of another command raises CommandIdReused. Other errors are not recorded.
        `sent` is what a repetition is known by: plain JSON, the command's own data by default. Give
        what came in, where the command has fields that are made up anew each time.

        Where the handler was registered with an `ask`, that is called first, outside of any
        transaction (OpenTransaction is raised in one), unless its `outcome` is given.

        With `joins` the handler runs in the caller's transaction, without a savepoint, a repetition
        or a record: for who rolls back when anything is raised, and commits with the effects what
        keeps the command from being dispatched again. Not for an `ask`.
        """
        if not isinstance(command_id, UUID | None):
            raise InvalidInput("command_id", f"expected a UUID, got {command_id!r}")
        # Whoever has it joined has recorded it, which is refused where it can't be stored.
        data = {} if joins else _checked(command, sent)
        registration = self._registration(type(command))
        if registration.ask is None and outcome is not _NOT_ASKED:
            raise InvalidInput("outcome", f"{command.command_type} asks nothing")
        identity = command_id or new_id()
        records = CommandRecords(command, command_id, data) if command_id and not joins else None
        outer = current_context()
        correlation_id = outer.correlation_id or str(identity)
        cause = {"command_causation_id": outer.causation_id} if outer.causation_id else {}
        with message_context(
            correlation_id=correlation_id,
            causation_id=str(identity),
            command_type=command.command_type,
            **cause,
        ):
            if registration.ask is not None and outcome is _NOT_ASKED:
                _refuse_open_transaction(command)
                if records is not None and records.exist():
                    return records.answer()
                outcome = registration.ask(command)
            arguments = (command,) if outcome is _NOT_ASKED else (command, outcome)
            handler = registration.handler
            if joins:
                return _run(handler, arguments, identity, correlation_id)
            if records is None:
                return _with_retries(lambda: _run(handler, arguments, identity, correlation_id))
            return _run_once(handler, arguments, records, correlation_id)

    def _registration(self, command_class: type[Command]) -> _Registration:
        try:
            return self._handlers[command_class]
        except KeyError:
            raise HandlerNotRegistered(command_class.command_type) from None


def _refuse_open_transaction(command: Command) -> None:
    using = events_settings().database
    if not transaction.get_connection(using).in_atomic_block:
        return
    try:
        # Accepts the transactions that Django's tests put around themselves.
        with transaction.atomic(using=using, durable=True):
            pass
    except RuntimeError as error:
        raise OpenTransaction(command.command_type) from error


def _checked(command: Command, sent: JsonObject | None) -> JsonObject:
    """What a repetition is known by. Raises EncodingError with the path of what doesn't fit."""
    try:
        data = command_types.codec(type(command)).encode(command)
        check_plain(data)
    except EncodingError as error:
        raise error.under(command.command_type) from None
    if sent is None:
        return data
    check_plain(sent, "sent")
    return sent


def _run(
    handler: Handler, arguments: Sequence[Any], command_id: UUID, correlation_id: str
) -> CommandResult:
    try:
        with collecting_appends() as appended:
            value = handler(*arguments)
    except CommandRefused as refusal:
        _check_answer(dict(refusal.details), f"details of {type(refusal).__name__}")
        raise
    _check_answer(value, f"result of {getattr(handler, '__qualname__', repr(handler))}")
    return CommandResult(
        command_id=command_id,
        value=value,
        appended=tuple(appended),
        correlation_id=correlation_id,
    )


def _check_answer(value: Any, name: str) -> None:
    """Whether it is recorded or not: an answer shall be the same when it is given again."""
    try:
        check_plain(value)
    except EncodingError as error:
        raise InvalidAnswer(str(error.under(name))) from None


def _run_once(
    handler: Handler, arguments: Sequence[Any], records: CommandRecords, correlation_id: str
) -> CommandResult:
    def claim_and_run() -> CommandResult:
        records.claim()
        result = _run(handler, arguments, records.command_id, correlation_id)
        records.complete(result)
        return result

    try:
        return _with_retries(claim_and_run)
    except AlreadyClaimed:
        return records.answer()
    except CommandRefused as refusal:
        # The transaction of the claim is gone. If another has answered meanwhile, that counts.
        if records.refuse(refusal):
            raise
        return records.answer()


def _with_retries(attempt: Callable[[], CommandResult]) -> CommandResult:
    """Each attempt in a transaction of its own (a savepoint inside of the caller's)."""
    configured = events_settings()
    remaining = configured.command_attempts
    delay = configured.command_retry_delay_seconds
    nested = transaction.get_connection(configured.database).in_atomic_block
    while True:
        remaining -= 1
        try:
            with transaction.atomic(using=configured.database):
                return attempt()
        except StaleVersion:
            raise
        except ConcurrencyError:
            if remaining <= 0:
                raise
        except OperationalError as error:
            if remaining <= 0 or nested or sqlstate(error) not in _RETRYABLE:
                raise
        # Full jitter: two that met once shall not meet again.
        time.sleep(random.uniform(0, delay))
        delay *= 2


command_bus = CommandBus()
handles = command_bus.handles
