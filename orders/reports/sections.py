"""The reports: each a picture and a table of the same numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from events.explorer.charts import LineChart, Series

from ..models import OrderState, PaymentState
from .bars import BarChart
from .figures import Figure, Figures, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A row's first cell is its heading; all others are numbers."""

    caption: Any
    headings: Sequence[Any]
    rows: Sequence[Sequence[Any]]
    #: The last row, where it adds up the others.
    totals: Sequence[Any] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    id: str
    title: Any
    tables: Sequence[Table]
    bars: BarChart | None = None
    lines: LineChart | None = None
    #: (label, value)
    facts: Sequence[tuple[Any, Any]] = field(default=())


def sections(figures: Figures) -> list[Section]:
    return [by_state(figures), revenue(figures), cancellations(figures), delivery(figures)]


def by_state(figures: Figures) -> Section:
    numbers: Counter[str] = Counter()
    amounts: Counter[str] = Counter()
    for row in figures.rows:
        numbers[row.state] += row.orders
        amounts[row.state] += row.amount  # type: ignore[assignment]
    states = [state for state in OrderState if numbers[state]]
    return Section(
        id="states",
        title=_("Orders by state"),
        bars=BarChart(
            title=_("Orders by state"),
            description=_("How many orders there are in each state."),
            values=[(state.label, numbers[state]) for state in states],
        ),
        tables=[
            Table(
                caption=_("Orders by state"),
                headings=(_("State"), _("Orders"), _("Share"), _("Total")),
                rows=[
                    (
                        state.label,
                        _number(numbers[state]),
                        _share(numbers[state], numbers.total()),
                        _amount(amounts[state]),
                    )
                    for state in states
                ],
                totals=(
                    _("all"),
                    _number(numbers.total()),
                    _share(numbers.total(), numbers.total()),
                    _amount(total(row.amount for row in figures.rows)),
                ),
            )
        ],
    )


def revenue(figures: Figures) -> Section:
    """What was charged, without what was paid back."""
    sums: Counter[tuple[str, str]] = Counter()
    for row in figures.rows:
        sums[row.month, row.state] += row.revenue  # type: ignore[assignment]
    months = figures.months
    states = [state for state in OrderState if any(sums[month, state] for month in months)]
    return Section(
        id="revenue",
        title=_("Revenue by state and month"),
        lines=LineChart(
            title=_("Revenue by state and month"),
            description=_("What was charged less what was refunded, by the month of the order."),
            steps=months,
            series=[
                Series(label=state.label, values=[float(sums[month, state]) for month in months])
                for state in states
            ],
        ),
        tables=[
            Table(
                caption=_("Revenue in %(currency)s") % {"currency": figures.currency},
                headings=(_("Month"), *(state.label for state in states), _("all")),
                rows=[
                    (
                        month,
                        *(_amount(sums[month, state]) for state in states),
                        _amount(total(_of(sums[month, state]) for state in states)),
                    )
                    for month in reversed(months)
                ],
                totals=(
                    _("all"),
                    *(_amount(total(_of(sums[m, state]) for m in months)) for state in states),
                    _amount(total(row.revenue for row in figures.rows)),
                ),
            )
        ],
    )


def cancellations(figures: Figures) -> Section:
    months = figures.months
    every = _by_month(figures, lambda row: True)
    cancelled = _by_month(figures, _is_cancelled)
    refunded = _by_month(figures, _is_refunded)
    amounts: Counter[str] = Counter()
    for row in figures.rows:
        amounts[row.month] += row.refunded  # type: ignore[assignment]
    return Section(
        id="cancellations",
        title=_("Cancellations and refunds"),
        lines=LineChart(
            title=_("Cancellations and refunds"),
            description=_("How many orders of each month were cancelled, and how many refunded."),
            steps=months,
            series=[
                Series(label=_("cancelled"), values=[cancelled[month] for month in months]),
                Series(label=_("refunded"), values=[refunded[month] for month in months]),
            ],
        ),
        tables=[
            Table(
                caption=_("By month of the order"),
                headings=(
                    _("Month"),
                    _("Orders"),
                    _("Cancelled"),
                    _("Share"),
                    _("Refunded"),
                    _("Amount refunded"),
                ),
                rows=[
                    (
                        month,
                        _number(every[month]),
                        _number(cancelled[month]),
                        _share(cancelled[month], every[month]),
                        _number(refunded[month]),
                        _amount(amounts[month]),
                    )
                    for month in reversed(months)
                ],
                totals=(
                    _("all"),
                    _number(every.total()),
                    _number(cancelled.total()),
                    _share(cancelled.total(), every.total()),
                    _number(refunded.total()),
                    _amount(total(row.refunded for row in figures.rows)),
                ),
            ),
            _reasons(figures),
        ],
    )


def _reasons(figures: Figures) -> Table:
    steps: Counter[str] = Counter()
    for row in figures.rows:
        if _is_cancelled(row):
            steps[row.failed_step] += row.orders
    return Table(
        caption=_("Where cancelled orders could not go on"),
        headings=(_("Step"), _("Orders"), _("Share")),
        rows=[
            (step or _("none: it was called off"), _number(number), _share(number, steps.total()))
            for step, number in steps.most_common()
        ],
    )


def delivery(figures: Figures) -> Section:
    days: Counter[int] = Counter()
    for row in figures.rows:
        if row.delivery_days is not None:
            days[row.delivery_days] += row.orders
    known, last, so_far = days.total(), max(days, default=0), 0
    rows = []
    for day in sorted(days):
        so_far += days[day]
        rows.append((day, _number(days[day]), _share(days[day], known), _share(so_far, known)))
    return Section(
        id="delivery",
        title=_("Time from order to delivery"),
        facts=[
            (_("Deliveries that are known"), _number(known)),
            (_("Half of them within"), _days(_quantile(days, 0.5))),
            (_("Nine of ten within"), _days(_quantile(days, 0.9))),
        ],
        bars=BarChart(
            title=_("Time from order to delivery"),
            description=_("How many orders were delivered after so many days."),
            values=[(day, days[day]) for day in range(last + 1)] if known else [],
        ),
        tables=[
            Table(
                caption=_(
                    "Whole days from order to delivery; the last row has all that took longer"
                ),
                headings=(_("Days"), _("Orders"), _("Share"), _("So far")),
                rows=rows,
            )
        ],
    )


def _is_cancelled(row: Figure) -> bool:
    return row.state == OrderState.CANCELLED


def _is_refunded(row: Figure) -> bool:
    return row.payment == PaymentState.REFUNDED


def _by_month(figures: Figures, chosen: Callable[[Figure], bool]) -> Counter[str]:
    numbers: Counter[str] = Counter()
    for row in figures.rows:
        if chosen(row):
            numbers[row.month] += row.orders
    return numbers


def _quantile(days: Counter[int], share: float) -> int | None:
    """The fewest days that this share of the orders took at most."""
    wanted, so_far = share * days.total(), 0
    for day in sorted(days):
        so_far += days[day]
        if so_far >= wanted:
            return day
    return None


def _of(value: Any) -> Decimal:
    """A counter gives a plain 0 where it has counted nothing."""
    return Decimal(value)


def _number(value: int) -> str:
    return number_format(value, use_l10n=True, force_grouping=True)


def _amount(value: Any) -> str:
    return number_format(_of(value), decimal_pos=2, use_l10n=True, force_grouping=True)


def _share(part: int, whole: int) -> str:
    return f"{number_format(100 * part / whole if whole else 0, decimal_pos=1, use_l10n=True)} %"


def _days(value: int | None) -> str:
    return "-" if value is None else _("%(days)s days") % {"days": value}
