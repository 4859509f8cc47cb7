"""The read models of the shop, one module each. Workers write them, some milliseconds after the
events; `manage.py rebuild_projection orders.orders` makes the rows anew."""

from __future__ import annotations

from . import orders, payments, shipments, stock

__all__ = ["orders", "payments", "shipments", "stock"]
