"""Stock, as its events tell of it."""

from __future__ import annotations

from events.projections import projects
from events.recorded_event import RecordedEvent

from ..events import StockReceived, StockReleased, StockReserved
from ..models import StockLevel
from .folding import FoldedRows


@projects(
    StockReceived,
    StockReserved,
    StockReleased,
    name="orders.stock",
    models=[StockLevel],
    in_batches=True,
    batch_size=500,
)
class Stock(FoldedRows):
    model = StockLevel

    def fold(self, row: StockLevel, recorded: RecordedEvent) -> None:
        match recorded.event:
            case StockReceived() as event:
                row.on_hand += event.quantity
            case StockReserved() as event:
                row.reserved += event.quantity
            case StockReleased() as event:
                row.reserved -= event.quantity

    def settle(self, row: StockLevel) -> None:
        row.available = row.on_hand - row.reserved
