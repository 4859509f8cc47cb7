"""The context of a request: who asks, and which conversation it belongs to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings

from events.context import MessageContext, current_context
from events.middleware import MessageContextMiddleware

HEADER = "X-Correlation-ID"


def visit(user=None, **headers: str) -> tuple[dict[str, Any], HttpResponse]:
    """The metadata that an event of the view gets, and the answer."""
    seen: list[dict[str, Any]] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(current_context().metadata())
        return HttpResponse()

    request = RequestFactory().get(
        "/", headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
    if user is not None:
        request.user = user
    response = MessageContextMiddleware(view)(request)
    return seen[0], response


def test_the_correlation_id_of_the_request_is_taken_and_sent_back():
    context, response = visit(X_Correlation_ID="from-the-proxy")
    assert context["correlation_id"] == response[HEADER] == "from-the-proxy"


def test_a_request_without_one_gets_one():
    first, response = visit()
    second, _ = visit()
    assert first["correlation_id"] == response[HEADER]
    assert UUID(first["correlation_id"]).version == 7
    assert first["correlation_id"] != second["correlation_id"]


@pytest.mark.parametrize("given", ["", " ", "a b", "ümlaut", "x" * 201, "a\tb", "\x7f"], ids=ascii)
def test_an_id_that_is_not_short_printable_ascii_is_replaced(given):
    context, response = visit(X_Correlation_ID=given)
    assert context["correlation_id"] == response[HEADER] != given
    assert UUID(context["correlation_id"])


@pytest.mark.parametrize("given", ["a", "x" * 200, "!~", "a,b;c=d/é"[:7]])
def test_an_id_of_short_printable_ascii_is_kept(given):
    context, _ = visit(X_Correlation_ID=given)
    assert context["correlation_id"] == given


def test_the_user_is_who_is_logged_in():
    context, _ = visit(SimpleNamespace(pk=5, is_authenticated=True))
    assert context["user_id"] == "5"


@pytest.mark.parametrize("user", [None, AnonymousUser()], ids=["no authentication", "anonymous"])
def test_nobody_is_no_user(user):
    context, _ = visit(user)
    assert context["user_id"] is None


def test_the_context_ends_with_the_request_even_if_it_fails():
    def view(request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        MessageContextMiddleware(view)(RequestFactory().get("/"))
    assert current_context() == MessageContext()
    visit()
    assert current_context() == MessageContext()


def test_the_header_is_the_one_of_the_settings():
    with override_settings(EVENTS={"correlation_header": "X-Request-ID"}):
        context, response = visit(X_Request_ID="mine", X_Correlation_ID="other")
    assert context["correlation_id"] == response["X-Request-ID"] == "mine"
    assert HEADER not in response


@pytest.mark.django_db
def test_it_stands_in_the_projects_own_stack(client):
    response = client.get("/admin/login/", headers={HEADER: "from-the-proxy"})
    assert response[HEADER] == "from-the-proxy"


@pytest.mark.django_db
def test_a_request_that_asks_for_no_user_costs_no_query_and_stays_cacheable(
    client, admin_user, django_assert_num_queries
):
    """Looking up the user reads the session, and makes the answer vary by cookie."""
    client.force_login(admin_user)
    with django_assert_num_queries(0):
        response = client.get("/")
    assert "Cookie" not in response.get("Vary", "")
