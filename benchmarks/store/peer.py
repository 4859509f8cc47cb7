"""The `eventsourcing` library, as its documentation shows it, in its PostgreSQL module."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import Notification

from ..harness import Operation
from .payments import EVENTS_AN_ACCOUNT, EVENTS_SINCE_SNAPSHOT, PAYMENT, places


class Account(Aggregate):
    def __init__(self) -> None:
        self.balance = Decimal(0)
        self.payments = 0
        self.last_payment_id: UUID | None = None

    def receive_payment(self) -> None:
        self.trigger_event(self.PaymentReceived, **PAYMENT)

    class PaymentReceived(Aggregate.Event):
        payment_id: UUID
        amount: Decimal
        currency: str
        due_at: datetime
        instalments: int
        reference: str

        def apply(self, account: Account) -> None:
            account.balance += self.amount
            account.payments += 1
            account.last_payment_id = self.payment_id


class Accounts(Application[UUID]):
    log_section_size = 1000


def application(**environment: str) -> Accounts:
    server = connection.settings_dict
    return Accounts(
        {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": server["NAME"],
            "POSTGRES_HOST": server["HOST"],
            "POSTGRES_PORT": str(server["PORT"]),
            "POSTGRES_USER": server["USER"],
            "POSTGRES_PASSWORD": server["PASSWORD"],
            **environment,
        }
    )


def prepare_append(events: int, **environment: str) -> Operation:
    app, free = application(**environment), places(events)
    payment_received = Account.PaymentReceived

    def append() -> None:
        account_id, first = next(free)
        app.events.put(
            [
                payment_received(
                    originator_id=account_id,
                    originator_version=first + number,
                    timestamp=payment_received.create_timestamp(),
                    **PAYMENT,
                )
                for number in range(events)
            ]
        )

    return append


def prepare_append_with_functions(events: int) -> Operation:
    return prepare_append(events, POSTGRES_ENABLE_DB_FUNCTIONS="y")


def prepare_load(events: int) -> Operation:
    app = application()
    account = save_account(app, events)
    return lambda: app.repository.get(account.id)


def prepare_load_with_snapshot(events: int) -> Operation:
    app = application(IS_SNAPSHOTTING_ENABLED="y")
    account = save_account(app, events)
    app.take_snapshot(account.id)
    for _ in range(EVENTS_SINCE_SNAPSHOT):
        account.receive_payment()
    app.save(account)
    return lambda: app.repository.get(account.id)


def prepare_read_log(events: int) -> Operation:
    app = application()
    for _ in range(events // EVENTS_AN_ACCOUNT):
        save_account(app, EVENTS_AN_ACCOUNT)
    return lambda: list(map(app.mapper.to_domain_event, notifications(app)))


def notifications(app: Accounts) -> Iterator[Notification]:
    start = 1
    while section := app.notification_log.select(start, limit=Accounts.log_section_size):
        yield from section
        start = section[-1].id + 1


def save_account(app: Accounts, events: int) -> Account:
    account = Account()
    for number in range(1, events):
        account.receive_payment()
        # A save of a thousand can hang for ever: more than fits into the socket's buffer.
        if number % 100 == 0:
            app.save(account)
    app.save(account)
    return account
