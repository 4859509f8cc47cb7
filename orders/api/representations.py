"""Orders as JSON. Amounts and times are written as in events."""

from __future__ import annotations

from datetime import datetime

from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from events.codec import JsonObject
from events.explorer.paging import Page

from ..models import OrderSummary, OrderSummaryLine
from ..money import Money


def orders_to_json(request: Request, page: Page[OrderSummary]) -> JsonObject:
    """Without their lines."""
    here = request.build_absolute_uri()
    return {
        "orders": [_order_head(order) for order in page.rows],
        "next": replace_query_param(here, "after", str(page.next[0])) if page.next else None,
    }


def order_to_json(order: OrderSummary) -> JsonObject:
    return {**_order_head(order), "items": [_line_to_json(line) for line in order.lines.all()]}


def _order_head(order: OrderSummary) -> JsonObject:
    """An order that was placed. A part that nobody has asked for yet is null."""
    assert order.total is not None
    return {
        "order_id": str(order.order_id),
        "customer_id": str(order.customer_id),
        "state": order.state,
        "reason": order.reason or None,
        "failed_step": order.failed_step or None,
        "failure": order.failure or None,
        "total_amount": _money_to_json(order.total),
        "reservation": order.reservation or None,
        "payment": order.payment or None,
        "shipment": order.shipment or None,
        "placed_at": _text(order.placed_at),
        "completed_at": _text(order.completed_at),
        "cancelled_at": _text(order.cancelled_at),
    }


def _line_to_json(line: OrderSummaryLine) -> JsonObject:
    return {
        "product_id": line.product_id,
        "quantity": line.quantity,
        "unit_price": _money_to_json(line.price),
    }


def _money_to_json(money: Money) -> JsonObject:
    return {"amount": str(money.amount), "currency": money.currency}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
