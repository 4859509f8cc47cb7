"""A read model is made anew from the log while it is read, and goes on from there."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from events.bus.subscription import Delivery
from events.delivery import rebuilding
from events.delivery.context import current_delivery
from events.delivery.draining import drain
from events.delivery.rebuilding import Rebuild
from events.exceptions import InvalidInput, RebuildFailed, UnknownProjection
from events.models import FailedEvent, SubscriptionState
from events.projections import Projection, projections, projects
from tests.effects.models import CartItem
from tests.effects.projections import CartItems
from tests.factories import cart, item_added, item_removed
from tests.processes import OtherProcess, eventually, new_event, running

NAME = "tests.cart_items"

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_other_subscriptions"),
]


def declare(projection_class=CartItems, **options):
    projects("Cart.*", name=NAME, models=[CartItem], **options)(projection_class)
    return projections.get(NAME)


def rows():
    return sorted(CartItem.objects.values_list("cart", "name", "quantity"))


def fill(store, carts=3):
    for number in range(carts):
        store.append(cart(number), [item_added(name="pen"), item_added(name="ink", quantity=3)])
        store.append(cart(number), [item_added(name="pen"), item_removed(name="ink")])


def expected(carts=3):
    return [(f"cart-{number}", "pen", 2) for number in range(carts)]


@pytest.fixture(params=[Delivery.DURABLE, Delivery.INLINE], ids=lambda each: each.value)
def declared(request):
    return declare(delivery=request.param)


def test_rows_that_were_lost_or_wrong_come_back(store, declared):
    fill(store)
    drain()
    assert rows() == expected()
    CartItem.objects.filter(cart="cart-1").delete()
    CartItem.objects.filter(cart="cart-2").update(quantity=77)

    tally = Rebuild(declared).run()

    assert tally.handled == 12
    assert rows() == expected()


def test_the_projection_goes_on_after_the_rebuild(store, declared):
    fill(store)
    drain()
    Rebuild(declared).run()
    store.append(cart(1), [item_added(name="pen", quantity=5)])
    drain()

    assert rows() == [("cart-0", "pen", 2), ("cart-1", "pen", 7), ("cart-2", "pen", 2)]


def test_a_rebuild_covers_what_the_projection_has_not_handled_yet(store, declared):
    fill(store)

    Rebuild(declared).run()

    assert rows() == expected()
    assert drain().handled == 0


def test_nothing_is_left_of_a_rebuild(store, declared):
    fill(store)
    Rebuild(declared).run()

    assert "effects_cartitem__rebuild" not in connection.introspection.table_names()
    assert not SubscriptionState.objects.filter(name__contains="rebuild").exists()
    CartItem.objects.create(cart="by hand", name="new id", quantity=1)


def test_old_rows_are_read_until_the_new_ones_are_complete(store):
    seen = []

    class Watched(CartItems):
        def project(self, recorded):
            if current_delivery().is_replay:
                seen.append(rows())
            super().project(recorded)

    declared = declare(Watched)
    fill(store)
    drain()

    Rebuild(declared).run()

    assert seen == [expected()] * 12


def test_a_failed_rebuild_changes_nothing_and_goes_on_when_the_code_is_mended(store, monkeypatch):
    class Broken(CartItems):
        is_broken = True
        handled = 0

        def project(self, recorded):
            type(self).handled += 1
            if self.is_broken and recorded.aggregate_id == "cart-2":
                raise ValueError("not this one")
            super().project(recorded)

    monkeypatch.setattr(rebuilding, "_BATCH_SIZE", 2)
    monkeypatch.setattr(rebuilding, "_CLOSE", 1)
    Broken.is_broken = False
    declared = declare(Broken)
    fill(store)
    drain()
    Broken.is_broken, Broken.handled = True, 0

    with pytest.raises(RebuildFailed) as caught:
        Rebuild(declared).run()

    assert str(caught.value.__cause__) == "not this one"
    assert rows() == expected()
    Broken.is_broken, Broken.handled = False, 0
    Rebuild(declared).run()
    assert Broken.handled == 4
    assert rows() == expected()


def test_a_rebuild_can_begin_anew(store, monkeypatch):
    declared = declare()
    fill(store)
    drain()
    monkeypatch.setattr(rebuilding, "_CLOSE", 1)
    monkeypatch.setattr(Rebuild, "_replace", lambda self, tally: 1 / 0)
    with suppress(ZeroDivisionError):
        Rebuild(declared).run()
    monkeypatch.undo()
    declare()

    assert Rebuild(declared).run(restart=True).handled == 12
    assert rows() == expected()


def test_failed_events_of_the_projection_are_settled_by_a_rebuild(store):
    class Moody(CartItems):
        fails = True

        def project(self, recorded):
            if self.fails:
                raise ValueError
            super().project(recorded)

    declared = declare(Moody)
    fill(store)
    drain(raise_errors=False)
    assert FailedEvent.objects.count() == 3
    Moody.fails = False

    Rebuild(declared).run()

    assert not FailedEvent.objects.exists()
    assert rows() == expected()


# --- while others write ---


def append_until(store_class, stop, started):
    store, number = store_class(), 0
    declare(delivery=Delivery.INLINE)
    while not stop.is_set() and number < 2000:
        with transaction.atomic():
            store.append(cart(number % 7), [item_added(name="pen")])
            store.append(cart(100 + number % 5), [item_added(name="ink")])
        number += 1
        started.set()
    return number


def totals(store):
    counted = {}
    for event in store.read_log(category="Cart"):
        key = (event.aggregate_id, event.event.name)
        counted[key] = counted.get(key, 0) + event.event.quantity
    return sorted((cart_id, name, quantity) for (cart_id, name), quantity in counted.items())


def test_an_inline_projection_is_rebuilt_while_others_append(store):
    declared, stop = declare(delivery=Delivery.INLINE), new_event()
    signals = [new_event() for _ in range(3)]
    writers = [OtherProcess(append_until, type(store), stop, signal) for signal in signals]
    try:
        eventually(lambda: all(signal.is_set() for signal in signals))
        for _ in range(3):
            Rebuild(declared).run()
        stop.set()
        assert all(writer.result() > 1 for writer in writers)
    finally:
        for writer in writers:
            writer.kill()

    assert rows() == totals(store)


def work_until(stop, started):
    from events.delivery.worker import Worker

    declare()
    started.set()
    Worker(is_stopping=stop.is_set).run()


def append_plainly_until(store_class, stop):
    store, number = store_class(), 0
    while not stop.is_set() and number < 2000:
        store.append(cart(number % 7), [item_added(name="pen")])
        number += 1


def test_a_durable_projection_is_rebuilt_while_a_worker_feeds_it(store):
    declared, stop, stop_worker, started = declare(), new_event(), new_event(), new_event()
    with running(work_until, stop_worker, started) as worker:
        with running(append_plainly_until, type(store), stop) as writer:
            eventually(lambda: started.is_set() and CartItem.objects.exists())
            for _ in range(3):
                Rebuild(declared).run()
            stop.set()
            writer.result()
        stop_worker.set()
        worker.result()
    drain()

    assert rows() == totals(store)


# --- the command ---


def test_the_command_says_how_far_it_is_and_what_it_did(store, declared, capsys):
    fill(store)

    call_command("rebuild_projection", NAME)

    output = capsys.readouterr().out
    assert "100%" in output
    assert "12 events handled" in output
    assert rows() == expected()


def test_the_command_lists_what_can_be_rebuilt(declared, capsys):
    call_command("rebuild_projection")

    assert capsys.readouterr().out.split() == [NAME]


def test_the_command_says_what_went_wrong(store):
    class Broken(Projection):
        def project(self, recorded):
            raise ValueError("not this one")

    declare(Broken)
    fill(store)
    with pytest.raises(CommandError, match=r"RebuildFailed|failed.*not this one"):
        call_command("rebuild_projection", NAME)
    with pytest.raises(CommandError, match=f"No projection is named 'nobody'.*{NAME}"):
        call_command("rebuild_projection", "nobody")


def test_a_projection_has_models():
    with pytest.raises(InvalidInput, match="models"):
        projects("*", name="none", models=[])(CartItems)
    with pytest.raises(UnknownProjection):
        projections.get("none")
