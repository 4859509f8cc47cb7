from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/", include("events.api.urls")),
    path("api/", include("orders.api.urls")),
    path("api/", include("sagas.api.urls")),
    path("metrics", include("events.api.monitoring")),
]
