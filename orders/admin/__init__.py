"""The shop in the admin: what events made of it, and the books of the simulators, to be read."""

from __future__ import annotations

from . import ledgers, orders, payments, reports, shipments, stock

__all__ = ["ledgers", "orders", "payments", "reports", "shipments", "stock"]
