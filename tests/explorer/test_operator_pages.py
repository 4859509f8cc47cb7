"""What operators see and do in the admin: overview, groups, bulk operations, dry runs, the log."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone

from events.bus.retry import RetryPolicy
from events.bus.subscription import Effects, subscribe, subscriptions
from events.delivery import dead_letters, operations
from events.delivery.background import carry_out_operations
from events.delivery.draining import drain
from events.delivery.sampling import SAMPLE_SECONDS, take_sample
from events.explorer import overview
from events.models import FailedEvent, LagSample, Lane, Operation, OperatorAction, SubscriptionState
from tests.effects.models import CartItem, Effect, leave_effect
from tests.explorer.pages import inline_code, links, list_url, row_url, shown, text_of
from tests.factories import cart, items
from tests.projections.test_rebuilding import declare

NAME = "tests.effects"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("no_other_subscriptions"),
]


@pytest.fixture
def failing(store):
    """A dead letter in each of three streams, of a handler that could do better by now."""
    _subscribe(_fail)
    for number in range(3):
        store.append(cart(number), items(2))
    drain(raise_errors=False)
    subscriptions.remove(NAME)
    _subscribe(leave_effect)


def _subscribe(handler, **options):
    options = {"retry": RetryPolicy(attempts=1), "backs_off": False} | options
    subscribe("*", handler, name=NAME, **options)


def _fail(event):
    raise ValueError(f"<b>{event.aggregate_id}</b> is no good")


def staff(*permissions):
    account = User.objects.create_user("grace", is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(account)
    return client


def form_of(client, url):
    html = text_of(client, url)
    values = dict(re.findall(r'name="([a-z_]+)" value="([^"]*)"', html))
    values |= {
        name: unescape(text.removeprefix("\n"))
        for name, text in re.findall(r'<textarea name="([a-z_]+)".*?>(.*?)</textarea>', html, re.S)
    }
    return values


def operate(client, url, **values):
    return client.post(url, form_of(client, url) | values)


def page(name, model=SubscriptionState):
    return list_url(model) + name


def tiles(client):
    html = text_of(client, page("overview/"))
    found = re.findall(
        r'explorer-tile is-(\w+)".*?tile-label">(.*?)</span>\s*<strong>(.*?)</strong>', html, re.S
    )
    return {label: (value, tone) for tone, label, value in found}


# --- overview ---


def test_the_overview_tells_that_all_is_well(admin_client, store):
    _subscribe(leave_effect)
    store.append(cart(), items(2))
    drain()

    found = tiles(admin_client)

    assert found["Worst lag"] == ("none", "good")
    assert found["Dead letters"] == ("0", "good")
    assert found["Subscriptions that stand still"] == ("0", "good")
    assert found["Sagas that need somebody"] == ("0", "good")


def test_the_overview_tells_what_needs_somebody(admin_client, failing, store):
    store.append(cart(7), items(4))
    operations.pause(NAME, actor="ann", reason="deploy")
    background_operation()

    found = tiles(admin_client)
    html = text_of(admin_client, page("overview/"))

    assert found["Dead letters"] == ("3", "bad")
    assert found["Subscriptions that stand still"] == ("1", "bad")
    assert found["Operations under way"] == ("1", "busy")
    assert "ValueError: &lt;b&gt;cart-" in html
    assert "deploy" in html
    assert links(html)[NAME] == row_url(SubscriptionState.objects.get())


def background_operation():
    return Operation.objects.create(kind="retry", actor="ann", total=3)


def test_each_part_of_the_overview_needs_leave_to_view_what_it_tells(failing):
    found = tiles(staff("view_subscriptionstate"))
    assert "Worst lag" in found
    assert not {"Dead letters", "Operations under way", "Sagas at work"} & found.keys()


def test_what_another_app_has_to_tell_does_not_take_the_page_with_it(admin_client, monkeypatch):
    def fail(site, request):
        raise LookupError

    def tell(site, request):
        return [overview.Tile(label="Mails", value=7)]

    monkeypatch.setattr(overview, "_tiles", [*overview._tiles, fail, tell])
    found = tiles(admin_client)
    assert found["Mails"] == ("7", "quiet")
    assert "Worst lag" in found


# --- groups and bulk operations ---


def test_failures_are_grouped_by_their_cause(admin_client, failing):
    html = text_of(admin_client, page("groups/", FailedEvent))
    assert html.count('class="is-number">3<') == 1

    group = text_of(admin_client, links(html)["ValueError: <b>cart-2</b> is no good"])
    assert "Traceback (most recent call last)" in group
    assert {"Retry all of them", "Discard all of them", "One by one"} <= links(group).keys()


def test_groups_are_read_page_by_page(admin_client, failing, monkeypatch):
    monkeypatch.setattr("events.explorer.failure_groups.MAX_GROUPS", 2)
    for number, row in enumerate(FailedEvent.objects.order_by("pk")):
        FailedEvent.objects.filter(pk=row.pk).update(fingerprint=f"{number:016x}")

    first = text_of(admin_client, page("groups/", FailedEvent))
    second = text_of(admin_client, links(first)["Next"])

    assert (first.count("is no good</a>"), second.count("is no good</a>")) == (2, 1)
    assert "Next" not in links(second)


def test_a_group_that_is_gone_is_not_found(admin_client):
    assert admin_client.get(page("groups/one/?fingerprint=00", FailedEvent)).status_code == 404


def bulk_url(client, name="Discard all of them"):
    group = FailedEvent.objects.first().fingerprint
    return links(text_of(client, page(f"groups/one/?fingerprint={group}", FailedEvent)))[name]


def test_a_bulk_operation_is_for_those_that_were_counted(admin_client, failing, store):
    url = bulk_url(admin_client)
    form = form_of(admin_client, url)
    subscriptions.remove(NAME)
    _subscribe(_fail)
    store.append(cart(8), items(1))
    drain(raise_errors=False)

    admin_client.post(url, form | {"confirmed": "3", "reason": "test orders"})

    assert Operation.objects.get().total == 3


def test_a_bulk_operation_is_confirmed_by_the_number(admin_client, failing):
    url = bulk_url(admin_client)
    for values, message in [
        ({"confirmed": "4", "reason": "x"}, "Type 3 to confirm."),
        ({"confirmed": "3", "reason": " "}, "This field is required."),
    ]:
        assert message in operate(admin_client, url, **values).content.decode()

    form = form_of(admin_client, url)
    dead_letters.discard(
        dead_letters.choose(FailedEvent.objects.all()[:1]), actor="ann", reason="x"
    )
    answer = admin_client.post(url, form | {"confirmed": "3", "reason": "x"})
    assert "Type 2 to confirm." in answer.content.decode()
    assert not Operation.objects.exists()


@pytest.mark.parametrize("query", ["", "?group=", "?stream=nonsense", "?group=0000"])
def test_without_a_condition_that_something_meets_there_is_no_bulk_operation(
    admin_client, failing, query
):
    url = page(f"operate/retry-all/{query}", FailedEvent)
    assert admin_client.get(url)["Location"] == list_url(FailedEvent)


def test_an_operation_is_shown_with_its_items_and_cancelled(admin_client, failing):
    done = operate(admin_client, bulk_url(admin_client), confirmed="3", reason="test orders")
    html = text_of(admin_client, done["Location"])
    assert "waiting for a worker" in html
    assert "test orders" in html

    back = operate(admin_client, links(html)["Cancel"], reason="wrong group")

    html = text_of(admin_client, back["Location"])
    assert "cancelled" in html
    assert "Cancel" not in links(html)
    carry_out_operations()
    assert FailedEvent.objects.count() == 3
    assert shown(admin_client, list_url(Operation)) == [f"discard {Operation.objects.get().pk}"]


def test_items_are_shown_by_their_outcome(admin_client, failing):
    operate(admin_client, bulk_url(admin_client), confirmed="3", reason="x")
    first = FailedEvent.objects.first()
    dead_letters.retry(dead_letters.choose([first]), actor="ann")
    carry_out_operations()
    operation = Operation.objects.get()

    html = text_of(admin_client, row_url(operation))
    assert "it has changed since it was chosen" in html
    assert links(html)[str(first.pk)] == row_url(first)
    assert "it has changed" not in text_of(admin_client, row_url(operation) + "?items=done")


# --- one dead letter ---


def test_two_rows_in_the_address_of_an_edit_are_no_error(admin_client, failing):
    first, second, _ = FailedEvent.objects.order_by("pk")
    url = page(f"operate/edit/?id={first.pk}&id={second.pk}", FailedEvent)
    form = form_of(admin_client, url)
    assert len(form["chosen"].split(",")) == 1

    both = ",".join(f"{each.id}.{each.version}" for each in dead_letters.choose([first, second]))
    answer = admin_client.post(url, form | {"chosen": both, "reason": "unit"})

    assert "Edit one event at a time." in answer.content.decode()
    assert not OperatorAction.objects.exists()


def test_a_dry_run_shows_what_would_happen_and_leaves_nothing(admin_client, failing):
    row = FailedEvent.objects.first()
    url = links(text_of(admin_client, row_url(row)))["Try it"]
    text_of(admin_client, url)
    assert not OperatorAction.objects.exists()  # looking is no doing

    html = admin_client.post(url, {"reason": "mended?"}).content.decode()

    assert "it would succeed" in html
    assert "effects_effect" in html
    assert not Effect.objects.exists()
    assert OperatorAction.objects.get().action == "dry_run"
    assert inline_code(html) == []


def test_what_has_effects_elsewhere_can_not_be_tried(admin_client, failing):
    calls = []
    subscriptions.remove(NAME)
    _subscribe(calls.append, effects=Effects.EXTERNAL)
    row = FailedEvent.objects.first()

    html = text_of(admin_client, row_url(row))
    assert "Try it" not in links(html)
    assert "outside of the database" in html

    answer = admin_client.post(page(f"operate/dry-run/?id={row.pk}", FailedEvent), {})
    assert "outside of the database" in answer.content.decode()
    assert calls == []


def test_failed_events_are_found_by_their_stream_or_their_event(admin_client, failing):
    row = FailedEvent.objects.order_by("pk")[1]
    for word in ("Cart-cart-1", str(row.event_id)):
        assert shown(admin_client, list_url(FailedEvent, q=word)) == [
            f"tests.ItemAdded {row.position}"
        ]
    assert shown(admin_client, list_url(FailedEvent, q="nonsense")) == []


# --- subscriptions ---


def test_a_subscription_is_reset_by_who_types_its_name(admin_client, failing):
    url = links(text_of(admin_client, row_url(SubscriptionState.objects.get())))["Reset"]
    values = {"to": "beginning", "reason": "new rules", "confirmed": NAME}
    for wrong, message in [
        ({"confirmed": "tests"}, f"Type {NAME} to confirm."),
        ({"to": "position"}, "Say which position."),
        ({"to": "position", "position": "999999999"}, "where the log ends"),
        ({"reason": ""}, "This field is required."),
        ({"to": "elsewhere"}, "Select a valid choice."),
    ]:
        answer = operate(admin_client, url, **values | wrong)
        assert message in answer.content.decode(), wrong
    assert not OperatorAction.objects.exists()

    operate(admin_client, url, **values)

    assert Lane.objects.get().position == 0
    assert not FailedEvent.objects.exists()
    assert OperatorAction.objects.get().action == "reset"


def test_a_projection_is_rebuilt_with_progress(admin_client, store, transactional_db):
    declare()
    store.append(cart(), items(2))
    drain()
    CartItem.objects.update(quantity=77)
    state = SubscriptionState.objects.get()

    url = links(text_of(admin_client, row_url(state)))["Rebuild"]
    done = operate(admin_client, url, reason="wrong", confirmed=state.name)
    drain()

    assert "100 %" in text_of(admin_client, done["Location"])
    assert set(CartItem.objects.values_list("quantity", flat=True)) == {1}


def test_what_is_no_projection_is_not_rebuilt(admin_client, failing):
    html = text_of(admin_client, row_url(SubscriptionState.objects.get()))
    assert "Rebuild" not in links(html)
    assert "It is no projection" in html


def test_lag_is_drawn_from_samples(admin_client, failing, store):
    store.append(cart(9), items(6))
    now = int(timezone.now().timestamp()) // SAMPLE_SECONDS
    LagSample.objects.create(
        interval=now - 2,
        taken_at=timezone.now() - timedelta(seconds=2 * SAMPLE_SECONDS),
        head=1,
        subscriptions={NAME: {"lag": 3, "seconds": 1.0, "position": 1, "handled": 0}},
    )
    take_sample(now)
    take_sample(now)  # another worker

    assert LagSample.objects.count() == 2
    html = text_of(admin_client, row_url(SubscriptionState.objects.get()))
    assert re.findall(r"<tr><th scope=\"row\">[\d:]+</th><td>(.*?)</td>", html) == ["3", "-", "6"]
    assert "growing" in text_of(admin_client, list_url(SubscriptionState))


def test_old_samples_are_removed(store):
    _subscribe(leave_effect)
    now = int(timezone.now().timestamp()) // SAMPLE_SECONDS
    LagSample.objects.create(interval=1, taken_at=timezone.now(), head=0)
    take_sample(now)
    assert list(LagSample.objects.values_list("interval", flat=True)) == [now]


def test_what_never_ran_is_told(admin_client):
    _subscribe(leave_effect)
    html = text_of(admin_client, list_url(SubscriptionState))
    assert "never run" in html
    assert NAME in html


# --- the operator log ---


def test_the_operator_log_is_searched(admin_client, failing):
    first, second, _third = FailedEvent.objects.order_by("pk")
    dead_letters.discard(dead_letters.choose([first]), actor="ann", reason="one")
    dead_letters.retry(dead_letters.choose([second]), actor="bob lee", reason="two")
    operations.pause(NAME, actor="ann", reason="three")

    for query, count in [
        ("Cart-cart-0", 1),
        ("by:ann", 2),
        ("by:'bob lee'", 1),
        (f"subscription:{NAME}", 3),
        ("action:pause", 1),
        ("by:ann action:pause", 1),
        ("by:nobody", 0),
        ("by:", 0),
        ("'", 0),
    ]:
        assert len(shown(admin_client, list_url(OperatorAction, q=query))) == count, query


def test_edited_data_in_the_log_is_for_those_who_may_view_events(admin_client, failing):
    row = FailedEvent.objects.first()
    [choice] = dead_letters.choose([row])
    dead_letters.edit_and_retry(choice, {"name": "magenta", "quantity": 2}, actor="ann")
    url = row_url(OperatorAction.objects.get())

    assert "magenta" in text_of(admin_client, url)
    assert "magenta" not in text_of(staff("view_operatoraction"), url)


# --- your access ---


def test_your_access_tells_by_which_permission_you_may_what(failing):
    group = Group.objects.create(name="support")
    group.permissions.add(Permission.objects.get(codename="retry_failedevent"))
    User.objects.create_superuser("root")
    client = staff("view_failedevent")
    User.objects.get(username="grace").groups.add(group)

    html = text_of(client, page("access/"))
    rows = re.findall(r'<th scope="row">(.*?)</th>\s*<td>(.*?)</td>', html, re.S)
    told = {name: re.sub(r"<[^>]*>", "", cell).strip() for name, cell in rows}

    assert told["Can view failed events"] == "yes given to you"
    assert told["Can retry failed events"] == "yes group support"
    assert told["Can discard failed events"] == "no"
    assert told["Can have sagas compensated"] == "no"
    assert "superusers: root" in html


# --- who may ---

ALL_OPERATIONS = {
    "reset": (SubscriptionState, "reset_subscription"),
    "rebuild": (SubscriptionState, "rebuild_subscription"),
    "dry-run": (FailedEvent, "retry_failedevent"),
    "retry-all": (FailedEvent, "retry_failedevent"),
    "discard-all": (FailedEvent, "discard_failedevent"),
    "cancel": (Operation, "cancel_operation"),
}
VIEW = ("view_failedevent", "view_subscriptionstate", "view_operation", "view_operatoraction")


def everything():
    return [
        list(model.objects.order_by("pk").values())
        for model in (FailedEvent, SubscriptionState, Lane, Operation, OperatorAction)
    ]


@pytest.mark.parametrize("operation", ALL_OPERATIONS)
def test_a_viewer_changes_nothing_by_any_request(failing, operation):
    background_operation()
    model, permission = ALL_OPERATIONS[operation]
    others = {each for _, each in ALL_OPERATIONS.values()} - {permission}
    client = staff(*VIEW, *others)
    row, group = model.objects.first(), FailedEvent.objects.first().fingerprint
    before = everything()

    url = page(f"operate/{operation}/?id={row.pk}&group={group}", model)
    values = {"reason": "x", "confirmed": str(row.pk), "to": "now", "up_to": "99"}
    assert client.get(url).status_code == 403
    assert client.post(url, values).status_code == 403
    assert client.post(url, values | {"confirmed": "3"}).status_code == 403
    assert everything() == before


@pytest.mark.parametrize("operation", ALL_OPERATIONS)
def test_looking_at_what_could_be_done_changes_nothing(failing, operation):
    background_operation()
    model, permission = ALL_OPERATIONS[operation]
    client = staff(*VIEW, permission)
    row, group = model.objects.first(), FailedEvent.objects.first().fingerprint
    before = everything()

    url = page(f"operate/{operation}/?id={row.pk}&group={group}", model)
    assert client.get(url + "&reason=x&confirmed=3").status_code in (200, 302)
    assert everything() == before


@pytest.mark.parametrize("name", ["overview/", "access/"])
def test_pages_that_are_read_take_no_post(admin_client, name):
    assert admin_client.post(page(name), {}).status_code == 405


def test_pages_have_nothing_inline_and_say_so(admin_client, failing):
    background_operation()
    group = FailedEvent.objects.first().fingerprint
    for url in (
        page("overview/"),
        page("access/"),
        list_url(SubscriptionState),
        row_url(SubscriptionState.objects.get()),
        page("groups/", FailedEvent),
        page(f"groups/one/?fingerprint={group}", FailedEvent),
        page(f"operate/retry-all/?group={group}", FailedEvent),
        list_url(Operation),
        row_url(Operation.objects.get()),
        list_url(OperatorAction),
    ):
        response = admin_client.get(url)
        assert inline_code(response.content.decode()) == [], url
        assert "default-src 'self'" in response["Content-Security-Policy"], url
