"""What is derived from the shop's events, and what stands beside them."""

from __future__ import annotations

from .figures import OrderFigures
from .ledgers import LedgerEntry, PaymentLedgerEntry, ShipmentLedgerEntry
from .orders import OrderSummary, OrderSummaryLine
from .payments import PaymentSummary
from .shipments import ShipmentSummary
from .shop import Shop
from .states import OrderState, PaymentState, ReservationState, ShipmentState
from .stock import StockLevel

__all__ = [
    "LedgerEntry",
    "OrderFigures",
    "OrderState",
    "OrderSummary",
    "OrderSummaryLine",
    "PaymentLedgerEntry",
    "PaymentState",
    "PaymentSummary",
    "ReservationState",
    "ShipmentLedgerEntry",
    "ShipmentState",
    "ShipmentSummary",
    "Shop",
    "StockLevel",
]
