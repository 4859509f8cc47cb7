"""Mounted beside `events.api.urls`, under the same prefix."""

from __future__ import annotations

from django.urls import path

from .views import OrderListView, OrderView

app_name = "orders_api"

urlpatterns = [
    path("orders", OrderListView.as_view(), name="orders"),
    path("orders/<str:order_id>", OrderView.as_view(), name="order"),
]
