"""Parse, ask the read model, report."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from events.api.base import EventsAPIView
from events.api.permissions import MayView
from events.api.query_strings import read_query
from events.exceptions import InvalidInput

from ..models import OrderSummary
from .pages import OrdersQuery, read_orders
from .representations import order_to_json, orders_to_json


class MayViewOrders(MayView):
    model = OrderSummary


class OrderListView(EventsAPIView):
    name = "Orders"
    description = (
        "Those with the latest id first, `limit` at a time, behind the one that is named by "
        "`after`: of one `customer`, or in one `state`, or both."
    )
    permission_classes = [MayViewOrders]

    def get(self, request: Request) -> Response:
        page = read_orders(read_query(OrdersQuery, request))
        return Response(orders_to_json(request, page))


class OrderView(EventsAPIView):
    name = "Order"
    description = "As it was when the events that a worker has seen were stored."
    permission_classes = [MayViewOrders]

    def get(self, request: Request, order_id: str) -> Response:
        placed = OrderSummary.objects.placed().prefetch_related("lines")
        order = placed.filter(pk=_uuid(order_id)).first()
        if order is None:
            raise Http404(f"There is no order {order_id}, or no worker has seen it yet.")
        return Response(order_to_json(order))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidInput("order_id", f"{text!r} isn't a UUID") from error
