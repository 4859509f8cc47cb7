"""How each command reaches its aggregates: one module for each part of the shop."""

from __future__ import annotations

from . import inventory, orders, payments, shipments

__all__ = ["inventory", "orders", "payments", "shipments"]
