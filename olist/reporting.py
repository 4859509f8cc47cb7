"""The outcome of a replay, as text for terminals."""

from __future__ import annotations

from pathlib import Path

from events.management.table import aligned

from .outcomes import Outcomes
from .replay import ReplayTally


def written(tally: ReplayTally, found: Outcomes, seconds: float, refused: Path) -> str:
    rate = f"{tally.placed / seconds:,.1f}/s" if seconds else "at once"
    lines = [
        f"{tally.placed:,} orders placed and seen through in {seconds:.1f} s ({rate}); "
        f"{tally.known:,} were placed before.",
        _of_orders(found),
        _of_totals(found),
    ]
    if tally.refused:
        lines.append(f"{tally.refused:,} rows were refused: {refused} says why.")
    return "\n\n".join(lines)


def _of_orders(found: Outcomes) -> str:
    rows = [
        (status, str(fate.label), number, found.as_expected[status, fate])
        for (status, fate), number in sorted(found.orders.items())
    ]
    total = ("all", "", found.orders.total(), found.as_expected.total())
    return aligned(("status", "outcome", "orders", "as expected"), [*rows, total])


def _of_totals(found: Outcomes) -> str:
    money, stock = found.money, found.stock
    rows = [
        ("charged", f"{money.charged:,.2f} BRL", f"{money.to_be_charged:,.2f} BRL"),
        ("refunded", f"{money.refunded:,.2f} BRL", f"{money.to_be_refunded:,.2f} BRL"),
        ("pieces received", f"{stock.received:,}", ""),
        ("pieces reserved", f"{stock.reserved:,}", f"{stock.to_be_reserved:,}"),
    ]
    return aligned(("all together", "there is", "there must be"), rows)
