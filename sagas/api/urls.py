"""Mount with `path("api/", include("sagas.api.urls"))`, under any prefix and namespace."""

from __future__ import annotations

from django.urls import path

from .views import SagaListView, SagaView

app_name = "sagas_api"

urlpatterns = [
    path("sagas", SagaListView.as_view(), name="sagas"),
    path("sagas/<path:saga_id>", SagaView.as_view(), name="saga"),
]
