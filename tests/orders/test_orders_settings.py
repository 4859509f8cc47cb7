"""`ORDERS`: which foreign systems the shop works with."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import CheckMessage, Error
from django.test import override_settings

from orders import checks
from orders.conf import OrdersSettings, carrier, orders_settings, payment_gateway
from orders.gateways.payments import Declined
from orders.gateways.simulated_carriers import SimulatedCarrier
from orders.gateways.simulated_payments import SimulatedPayments
from tests.orders.shop import eur


class NoPayments:
    def charge(self, effect_key, amount, payment_method):
        return Declined(reason="closed")


def messages(orders: Any) -> list[CheckMessage]:
    with override_settings(ORDERS=orders):
        return checks.check_settings(None)


@pytest.mark.parametrize("empty", [None, {}])
def test_the_defaults_hold_without_any_setting(empty):
    with override_settings(ORDERS=empty):
        assert orders_settings() == OrdersSettings()
        assert type(payment_gateway()) is SimulatedPayments
        assert type(carrier()) is SimulatedCarrier
        assert checks.check_settings(None) == []


def test_another_gateway_is_chosen_by_its_path():
    with override_settings(ORDERS={"payment_gateway": f"{__name__}.NoPayments"}):
        assert payment_gateway().charge("k", eur("1"), "card") == Declined(reason="closed")
        assert checks.check_settings(None) == []
    assert type(payment_gateway()) is not NoPayments


def test_e001_an_unknown_key_is_an_error_with_the_closest_known_one():
    [message] = messages({"payment_gatway": "x"})
    assert isinstance(message, Error)
    assert (message.id, message.msg) == ("orders.E001", "ORDERS has no key 'payment_gatway'.")
    assert message.hint == "Did you mean 'payment_gateway'?"


@pytest.mark.parametrize("given", [["carrier"], "carrier", 5], ids=repr)
def test_e001_a_setting_that_is_no_dict_is_an_error_not_a_crash(given):
    [message] = messages(given)
    assert message.id == "orders.E001"


@pytest.mark.parametrize(
    "path", ["orders.no_such_module.X", "orders.conf.NoSuchClass", "x", 5, None]
)
def test_e002_a_class_that_does_not_exist_is_an_error_that_names_its_key(path):
    [message] = messages({"carrier": path})
    assert isinstance(message, Error)
    assert message.id == "orders.E002"
    assert message.msg.startswith(f"ORDERS['carrier'] can't be {path!r}")


@pytest.mark.parametrize("style", ["orchestrated", "choreographed", None])
def test_each_style_is_fine_and_so_is_none(style):
    assert messages({"saga_style": style}) == []


@pytest.mark.parametrize("style", ["choreographd", "", 5, ["orchestrated"]], ids=repr)
def test_e003_an_unknown_style_is_an_error_that_names_the_known_ones(style):
    [message] = messages({"saga_style": style})
    assert isinstance(message, Error)
    assert message.id == "orders.E003"
    assert message.msg.startswith(f"ORDERS['saga_style'] can't be {style!r}")
    assert "'choreographed'" in str(message.hint)
