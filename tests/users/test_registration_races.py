"""Many register the same address, or the same id, at the same moment: exactly one gets it."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest
from django.db import connection

from events.command_bus import CommandBus
from events.exceptions import CommandRefused
from events.store.configured import event_store
from tests.processes import eventually, new_event, run_at_once, running
from tests.users.people import ANN, BOB, register
from users.commands import RegisterUser
from users.handlers import register_user
from users.models import EmailClaim, RegisteredUser

pytestmark = pytest.mark.django_db(transaction=True)

SPELLINGS = ["ann@example.org", "ANN@example.org", " ann@Example.ORG", "Ann@Example.org "]


def outcome(user_id: UUID, email: str) -> str:
    try:
        register(user_id, email=email)
    except CommandRefused as refusal:
        return refusal.code
    return "registered"


def registered_events() -> list[str]:
    log = event_store().read_log(event_types=["UserRegistered"])
    return [recorded.aggregate_id for recorded in log]


def test_of_many_who_register_one_address_at_once_exactly_one_wins():
    for round_ in range(3):
        EmailClaim.objects.all().delete()
        before = len(registered_events())
        calls = [
            partial(outcome, UUID(int=10 * round_ + number + 1), SPELLINGS[number % 4])
            for number in range(6)
        ]
        assert sorted(run_at_once(calls)) == ["email_taken"] * 5 + ["registered"]
        [winner] = registered_events()[before:]
        assert EmailClaim.objects.get().user_id == UUID(winner)
        assert RegisteredUser.objects.count() == before + 1


def test_of_many_who_register_one_id_at_once_exactly_one_wins():
    calls = [partial(outcome, ANN, f"ann{number}@example.org") for number in range(5)]
    assert sorted(run_at_once(calls)) == ["registered"] + ["user_already_registered"] * 4
    assert registered_events() == [str(ANN)]
    assert EmailClaim.objects.count() == 1


def test_many_who_register_different_addresses_at_once_all_win():
    calls = [
        partial(outcome, UUID(int=number + 1), f"user{number}@example.org") for number in range(6)
    ]
    assert run_at_once(calls) == ["registered"] * 6
    assert EmailClaim.objects.count() == RegisteredUser.objects.count() == 6


def register_when_told(user_id: UUID, email: str, reached, go_on, fails: bool) -> None:
    """Claims the address, and stops before the commit."""

    def handler(command: RegisterUser) -> None:
        register_user(command)
        reached.set()
        assert go_on.wait(30)
        if fails:
            raise ZeroDivisionError

    bus = CommandBus()
    bus.register(RegisterUser, handler)
    bus.dispatch(RegisterUser(user_id=user_id, email=email, name="Ann"))


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("fails", "expected"), [(False, "email_taken"), (True, "registered")], ids=["commits", "fails"]
)
def test_the_second_waits_for_the_first_and_goes_by_how_it_ends(fails, expected):
    reached, go_on = new_event(), new_event()
    with running(register_when_told, ANN, SPELLINGS[0], reached, go_on, fails):
        assert reached.wait(30)
        with running(outcome, BOB, SPELLINGS[1]) as second:
            eventually(somebody_waits_for_a_lock)
            assert second.is_running
            go_on.set()
            assert second.result() == expected
    assert registered_events() == [str(BOB if fails else ANN)]


def test_who_dies_before_the_commit_has_claimed_nothing():
    reached, never = new_event(), new_event()
    with running(register_when_told, ANN, SPELLINGS[0], reached, never, False) as first:
        assert reached.wait(30)
        first.kill()
    assert outcome(BOB, SPELLINGS[1]) == "registered"
    assert registered_events() == [str(BOB)]
