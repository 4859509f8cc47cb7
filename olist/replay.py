"""Places the orders of the data set in the shop, and has the shop work until all is settled.

Orders that found no stock are placed first, while there is none of what they want; then the stock
that the others need is delivered, and they are placed. Each command has an id of its own, so what
was interrupted goes on, and a second run does nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar
from uuid import UUID, uuid5

from django.db import reset_queries

from events.command_bus import command_bus
from events.exceptions import CommandRefused, InvalidInput
from events.models import CommandRecord
from events.store.configured import event_store
from events.streams import StreamName
from events.transfer.rows import Refusal
from orders.aggregates.reservation import Reservation
from orders.commands import ReceiveStock
from orders.lines import quantities

from .models import PlacedOrder
from .orders import OlistOrder
from .working import Shop, is_all_handled

#: Orders that are placed between two looks at what follows from them.
BATCH_SIZE = 250
_COMMAND_IDS = UUID("5f7a3f0e-0d0b-5c49-9c36-6d1d1a0a7c11")

ValueT = TypeVar("ValueT")


@dataclass(slots=True)
class ReplayTally:
    #: Orders, in this run.
    placed: int = 0
    #: By an earlier run.
    known: int = 0
    refused: int = 0


class Replay:
    """One run. `read` gives the rows anew each time it is called; `refuse` is called once for each
    row that can't be placed; `progress` after each batch."""

    def __init__(
        self,
        read: Callable[[], Iterable[OlistOrder | Refusal]],
        *,
        refuse: Callable[[Refusal], None],
        progress: Callable[[ReplayTally], None] = lambda tally: None,
        shop: Shop | None = None,
    ) -> None:
        self.tally = ReplayTally()
        self._read = read
        self._refuse = refuse
        self._progress = progress
        self._shop = shop or Shop()

    def run(self) -> ReplayTally:
        """Raises NothingMoves."""
        out_of_stock, wanted = self._survey()
        self._place(out_of_stock)
        self._shop.work_until(
            lambda: _are_answered(out_of_stock), "orders wait to be told that there is no stock"
        )
        self._deliver(wanted)
        orders = (each for each in self._read() if isinstance(each, OlistOrder))
        for batch in _in_batches((each for each in orders if each.fate.has_stock), BATCH_SIZE):
            self._place(batch)
            self._shop.work()
            self._progress(self.tally)
            reset_queries()  # which Django keeps where DEBUG is on
        self._shop.work_until(is_all_handled, "not all events are handled")
        return self.tally

    def _survey(self) -> tuple[list[OlistOrder], Counter[tuple[str, str]]]:
        """Orders without stock, and what the others want, by month and product. Tells of the rows
        that are none."""
        out_of_stock: list[OlistOrder] = []
        wanted: Counter[tuple[str, str]] = Counter()
        for each in self._read():
            if isinstance(each, Refusal):
                self._note(each)
            elif not each.fate.has_stock:
                out_of_stock.append(each)
            else:
                for product_id, quantity in quantities(each.command.items).items():
                    wanted[each.month, product_id] += quantity
        return out_of_stock, wanted

    def _deliver(self, wanted: Counter[tuple[str, str]]) -> None:
        """Month by month, so that months can be placed one after the other, too."""
        commands = (
            (
                _command_id(f"{month} {product_id}"),
                ReceiveStock(product_id=product_id, quantity=quantity),
            )
            for (month, product_id), quantity in wanted.items()
        )
        for batch in _in_batches(commands, BATCH_SIZE):
            done = _done([command_id for command_id, _ in batch])
            for command_id, command in batch:
                if command_id not in done:
                    command_bus.dispatch(command, command_id=command_id)
            reset_queries()

    def _place(self, orders: Sequence[OlistOrder]) -> None:
        # Before they are placed: the world must know what to answer.
        PlacedOrder.objects.bulk_create(map(_as_row, orders), ignore_conflicts=True)
        done = _done([_command_id(str(each.order_id)) for each in orders])
        for order in orders:
            command_id = _command_id(str(order.order_id))
            if command_id in done:
                self.tally.known += 1
                continue
            try:
                command_bus.dispatch(order.command, command_id=command_id)
            except (CommandRefused, InvalidInput) as refusal:
                PlacedOrder.objects.filter(pk=order.order_id).delete()
                self._note(Refusal(order.row.line, str(refusal), order.row.values))
            else:
                self.tally.placed += 1

    def _note(self, refusal: Refusal) -> None:
        self.tally.refused += 1
        self._refuse(refusal)


def _as_row(order: OlistOrder) -> PlacedOrder:
    return PlacedOrder(
        order_id=order.order_id,
        month=order.month,
        status=order.row.values["order_status"],
        fate=order.fate,
        charged=order.charged,
    )


def _are_answered(orders: Sequence[OlistOrder]) -> bool:
    streams = (StreamName(Reservation.aggregate_type, each.order_id) for each in orders)
    return all(event_store().stream_version(stream) >= 0 for stream in streams)


def _command_id(name: str) -> UUID:
    return uuid5(_COMMAND_IDS, name)


def _done(command_ids: Sequence[UUID]) -> set[UUID]:
    """Those that were carried out. Those refused are dispatched again, to be told why."""
    records = CommandRecord.objects.filter(pk__in=command_ids)
    return set(records.exclude(outcome__has_key="refusal").values_list("pk", flat=True))


def _in_batches(values: Iterable[ValueT], size: int) -> Iterator[list[ValueT]]:
    remaining = iter(values)
    while batch := list(islice(remaining, size)):
        yield batch
