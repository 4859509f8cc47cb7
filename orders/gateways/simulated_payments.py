"""A payment gateway for tests and demonstrations. The payment method says how it behaves, in the
words of `simulation`; those about the refund start with `refund_`.

| payment method | |
|---|---|
| `card` (or any other without a special word) | is charged |
| `declined` | is declined, as `card_declined` |
| `late_answer` | is charged; the first call gets no answer, the second is told |
| `no_answer` | is not charged; no call gets an answer |
| `pending` | is not charged yet, and never will be |
| `error_2` | two calls fail, the third charges |
| `card+slow_200` | is charged, after 200 ms |
| `card+refund_declined` | is charged, and never paid back: UndoRefused |
| `card+refund_error_2`, `card+refund_late_answer`, ... | is charged; as above, of the refund |
"""

from __future__ import annotations

from ..exceptions import UndoRefused
from ..models import LedgerEntry, PaymentLedgerEntry
from ..money import Money
from .payments import Charge, Declined, Refund
from .pending import Pending
from .simulation import Behaviour, asked, locked_entry, undo


class SimulatedPayments:
    """A PaymentGateway whose books are the model PaymentLedgerEntry."""

    def charge(
        self, effect_key: str, amount: Money, payment_method: str
    ) -> Charge | Declined | Pending:
        behaviour = Behaviour.of(payment_method)

        def act(entry: PaymentLedgerEntry) -> None:
            outcomes = LedgerEntry.Outcome
            entry.outcome = outcomes.REFUSED if behaviour.declines else outcomes.DONE

        entry = asked(
            PaymentLedgerEntry,
            effect_key,
            behaviour,
            act,
            amount=amount.amount,
            currency=amount.currency,
            payment_method=payment_method,
        )
        if entry.outcome == LedgerEntry.Outcome.PREVENTED:
            return Declined(reason="refunded")
        if entry.outcome == LedgerEntry.Outcome.REFUSED:
            return Declined(reason="card_declined")
        if not entry.outcome:
            return Pending()
        return _charge(entry)

    def refund(self, effect_key: str, charge_key: str) -> Refund:
        charged = PaymentLedgerEntry.objects.filter(effect_key=charge_key).first()
        behaviour = Behaviour.of(charged.payment_method if charged else "", "refund_")

        def act(entry: PaymentLedgerEntry) -> None:
            charge = locked_entry(PaymentLedgerEntry, charge_key)
            if behaviour.declines and charge.outcome == LedgerEntry.Outcome.DONE:
                raise UndoRefused(effect_key, "the gateway doesn't refund this payment method")
            undo(entry, charge)
            if entry.outcome == LedgerEntry.Outcome.DONE:
                entry.amount, entry.currency = charge.amount, charge.currency

        entry = asked(PaymentLedgerEntry, effect_key, behaviour, act, undone_key=charge_key)
        if entry.outcome == LedgerEntry.Outcome.NOTHING_TO_UNDO:
            return Refund(charge=None)
        return Refund(charge=_charge(PaymentLedgerEntry.objects.get(effect_key=charge_key)))


def _charge(entry: PaymentLedgerEntry) -> Charge:
    assert entry.amount is not None
    return Charge(
        amount=Money(entry.amount, entry.currency),
        payment_method=entry.payment_method,
        reference=f"SIM-{entry.pk}",
    )
