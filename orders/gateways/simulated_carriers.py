"""A carrier for tests and demonstrations. The city of the address says how it behaves, in the
words of `simulation`; those about the calling back of a parcel start with `cancel_`.

| city | |
|---|---|
| `Akureyri` (or any other without a special word) | is served |
| `declined`, or any city in Antarctica (`AQ`) | is not served, as `destination_not_served` |
| `late_answer` | is served; the first call gets no answer, the second is told |
| `no_answer` | is not served; no call gets an answer |
| `pending` | is not fetched yet, and never will be |
| `error_2` | two calls fail, the third arranges |
| `Akureyri+slow_200` | is served, after 200 ms |
| `Akureyri+cancel_declined` | is served; the parcel can't be called back: UndoRefused |
| `Akureyri+cancel_error_2`, `Akureyri+cancel_late_answer`, ... | as above, of the calling back |
"""

from __future__ import annotations

from ..addresses import Address
from ..exceptions import UndoRefused
from ..models import LedgerEntry, ShipmentLedgerEntry
from .carriers import Cancellation, NotCarried, Parcel
from .pending import Pending
from .simulation import Behaviour, asked, locked_entry, undo

_NOT_SERVED = "AQ"


class SimulatedCarrier:
    """A Carrier whose books are the model ShipmentLedgerEntry."""

    def arrange(self, effect_key: str, address: Address) -> Parcel | NotCarried | Pending:
        behaviour = Behaviour.of(address.city)
        declines = behaviour.declines or address.country.upper() == _NOT_SERVED

        def act(entry: ShipmentLedgerEntry) -> None:
            entry.outcome = LedgerEntry.Outcome.REFUSED if declines else LedgerEntry.Outcome.DONE

        entry = asked(
            ShipmentLedgerEntry,
            effect_key,
            behaviour,
            act,
            destination=str(address),
            city=address.city,
        )
        if entry.outcome == LedgerEntry.Outcome.PREVENTED:
            return NotCarried(reason="cancelled")
        if entry.outcome == LedgerEntry.Outcome.REFUSED:
            return NotCarried(reason="destination_not_served")
        if not entry.outcome:
            return Pending()
        return _parcel(entry)

    def cancel(self, effect_key: str, parcel_key: str) -> Cancellation:
        arranged = ShipmentLedgerEntry.objects.filter(effect_key=parcel_key).first()
        behaviour = Behaviour.of(arranged.city if arranged else "", "cancel_")

        def act(entry: ShipmentLedgerEntry) -> None:
            parcel = locked_entry(ShipmentLedgerEntry, parcel_key)
            if behaviour.declines and parcel.outcome == LedgerEntry.Outcome.DONE:
                raise UndoRefused(effect_key, "the parcel is on its way")
            undo(entry, parcel)

        entry = asked(ShipmentLedgerEntry, effect_key, behaviour, act, undone_key=parcel_key)
        if entry.outcome == LedgerEntry.Outcome.NOTHING_TO_UNDO:
            return Cancellation(parcel=None)
        return Cancellation(parcel=_parcel(ShipmentLedgerEntry.objects.get(effect_key=parcel_key)))


def _parcel(entry: ShipmentLedgerEntry) -> Parcel:
    return Parcel(tracking_number=f"SIM{entry.pk:010}")
