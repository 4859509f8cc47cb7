from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse


@pytest.mark.parametrize(
    ("page", "parameters"),
    [
        ("failedevent_retry", {"id": "9" * 5000}),
        ("failedevent_dry-run", {"id": "9" * 5000}),
        ("operation_cancel", {"id": "9" * 5000}),
        ("snapshot_drop", {"id": "9" * 5000}),
        ("failedevent_retry-all", {"group": "\0"}),
        ("failedevent_group", {"fingerprint": "\0"}),
        ("failedevent_groups", {"after": "\0"}),
        ("subscriptionstate_pause", {"id": "\0"}),
    ],
)
def test_parameter_that_no_database_takes_names_nothing(
    admin_client: Client, page: str, parameters: dict[str, str]
) -> None:
    url = f"{reverse(f'admin:events_{page}')}?{urlencode(parameters)}"
    assert admin_client.get(url).status_code == 404


@pytest.mark.parametrize(
    "kind", ["subscriptionstate", "event", "aggregateversion", "failedevent", "operation"]
)
def test_key_that_no_database_takes_names_nothing(admin_client: Client, kind: str) -> None:
    url = reverse(f"admin:events_{kind}_change", args=["a\0b"])
    assert admin_client.get(url).status_code in (302, 404)
