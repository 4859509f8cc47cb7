"""The store of this project, through its public API."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from events.aggregates import EventSourcedAggregate
from events.identifiers import new_id
from events.messages import DomainEvent
from events.registry import event
from events.repository import Repository
from events.store.configured import event_store
from events.streams import StreamName

from ..harness import Operation
from .payments import EVENTS_AN_ACCOUNT, EVENTS_SINCE_SNAPSHOT, PAYMENT, places


@event("benchmarks.AccountOpened")
class AccountOpened(DomainEvent):
    pass


@event("benchmarks.PaymentReceived")
class PaymentReceived(DomainEvent):
    payment_id: UUID
    amount: Decimal
    currency: str
    due_at: datetime
    instalments: int
    reference: str


class Account(EventSourcedAggregate):
    aggregate_type = "Account"
    snapshot_every = 0
    balance: Decimal
    payments: int
    last_payment_id: UUID | None

    def apply_account_opened(self, event: AccountOpened) -> None:
        self.balance = Decimal(0)
        self.payments = 0
        self.last_payment_id = None

    def apply_payment_received(self, event: PaymentReceived) -> None:
        self.balance += event.amount
        self.payments += 1
        self.last_payment_id = event.payment_id


class AccountWithSnapshots(Account):
    snapshot_every = 10


def prepare_append(events: int) -> Operation:
    store, free = event_store(), places(events)

    def append() -> None:
        stream_id, first = next(free)
        store.append(
            StreamName(Account.aggregate_type, stream_id),
            [PaymentReceived(**PAYMENT) for _ in range(events)],
            expected_version=first - 1,
        )

    return append


def prepare_load(events: int) -> Operation:
    account_id = save_account(Account, events)
    return lambda: Repository(Account).load(account_id)


def prepare_load_with_snapshot(events: int) -> Operation:
    """A snapshot of so many events, and a few events after it."""
    account_id = save_account(AccountWithSnapshots, events)
    save_payments(AccountWithSnapshots, account_id, EVENTS_SINCE_SNAPSHOT)
    return lambda: Repository(AccountWithSnapshots).load(account_id)


def prepare_read_log(events: int) -> Operation:
    save_accounts(events)
    store = event_store()
    return lambda: [recorded.event for recorded in store.read_log()]


def save_accounts(events: int) -> None:
    for _ in range(events // EVENTS_AN_ACCOUNT):
        save_account(Account, EVENTS_AN_ACCOUNT)


def save_account(aggregate_class: type[Account], events: int) -> UUID:
    account_id = new_id()
    account = aggregate_class(account_id)
    account.add_event(AccountOpened())
    Repository(aggregate_class).save(account)
    save_payments(aggregate_class, account_id, events - 1)
    return account_id


def save_payments(aggregate_class: type[Account], account_id: UUID, payments: int) -> None:
    repository = Repository(aggregate_class)
    account = repository.load(account_id)
    for _ in range(payments):
        account.add_event(PaymentReceived(**PAYMENT))
    repository.save(account)
