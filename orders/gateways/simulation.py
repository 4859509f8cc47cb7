"""What the two simulators share: a foreign system that does what the data says, and keeps books.

A text such as `card+slow_50+refund_error_2` says how it behaves; its words are joined by `+`:

| word | what happens |
|---|---|
| `declined` | it says no, for good |
| `no_answer` | nothing happens, and no answer ever comes: GatewayTimeout each time |
| `pending` | the request is taken, and never decided: Pending each time |
| `late_answer` | it is done, but the first answer is lost: GatewayTimeout, then the outcome |
| `error_<n>` | n times GatewayUnavailable without any effect, then as without this word |
| `slow_<n>` | each answer takes n milliseconds |
| any other | nothing special |

With a prefix (`refund_declined`, `cancel_late_answer`) a word is about the undo.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import transaction

from ..exceptions import EffectKeyReused, GatewayTimeout, GatewayUnavailable
from ..models import LedgerEntry

EntryT = TypeVar("EntryT", bound=LedgerEntry)

_NUMBERED = re.compile(r"(error|slow)_([0-9]{1,4})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    declines: bool = False
    never_answers: bool = False
    never_decides: bool = False
    answers_late: bool = False
    errors: int = 0
    delay_seconds: float = 0

    @classmethod
    def of(cls, text: str, prefix: str = "") -> Behaviour:
        words = [
            word.removeprefix(prefix) for word in text.lower().split("+") if word.startswith(prefix)
        ]
        numbers = {
            match[1]: int(match[2]) for word in words if (match := _NUMBERED.fullmatch(word))
        }
        return cls(
            declines="declined" in words,
            never_answers="no_answer" in words,
            never_decides="pending" in words,
            answers_late="late_answer" in words,
            errors=numbers.get("error", 0),
            delay_seconds=numbers.get("slow", 0) / 1000,
        )

    def acts(self, attempt: int) -> bool:
        return attempt > self.errors and not (self.never_answers or self.never_decides)

    def check_answer(self, effect_key: str, attempt: int) -> None:
        """Raises what the caller gets instead of an answer to this attempt (1, 2, ...)."""
        if attempt <= self.errors:
            raise GatewayUnavailable(f"{effect_key} failed at attempt {attempt}.")
        if self.never_answers or (self.answers_late and attempt == self.errors + 1):
            raise GatewayTimeout(f"{effect_key} got no answer.")


def asked(
    entry_class: type[EntryT],
    effect_key: str,
    behaviour: Behaviour,
    act: Callable[[EntryT], None],
    **terms: Any,
) -> EntryT:
    """The entry of this effect, after `act` has given it its outcome, on this or an earlier call;
    without one where the behaviour is never to decide.

    Commits on its own, as a foreign system does, so it can't be called in a transaction.
    """
    time.sleep(behaviour.delay_seconds)
    with transaction.atomic(durable=True):
        entry = locked_entry(entry_class, effect_key, **terms)
        entry.attempts += 1
        if not entry.outcome and behaviour.acts(entry.attempts):
            act(entry)
        entry.save()
    behaviour.check_answer(effect_key, entry.attempts)
    return entry


def locked_entry(entry_class: type[EntryT], effect_key: str, **terms: Any) -> EntryT:
    """New, or the one there is, which nobody else changes until the transaction ends. Raises
    EffectKeyReused where it was made for other terms."""
    entries: Any = entry_class._default_manager
    entries.bulk_create([entry_class(effect_key=effect_key, **terms)], ignore_conflicts=True)
    entry: EntryT = entries.select_for_update().get(effect_key=effect_key)
    for name, value in terms.items():
        first = getattr(entry, name)
        # One that an undo has made, so as to prevent it, has no terms.
        if entry.outcome != LedgerEntry.Outcome.PREVENTED and first != value:
            raise EffectKeyReused(effect_key, name, str(first), str(value))
    return entry


def undo(undoing: LedgerEntry, done: LedgerEntry) -> None:
    """Gives both their outcomes."""
    outcomes = LedgerEntry.Outcome
    if done.outcome == outcomes.DONE:
        done.outcome, undoing.outcome = outcomes.UNDONE, outcomes.DONE
    else:
        done.outcome = done.outcome or outcomes.PREVENTED
        undoing.outcome = outcomes.NOTHING_TO_UNDO
    done.save()
