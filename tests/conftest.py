from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from events.bus.dispatcher import follow_subscriptions
from events.bus.subscription import subscriptions
from events.projections import projections
from events.store.base import EventStore
from events.store.configured import event_store


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test has logged may hold lone surrogates, which pytest-xdist can't send."""
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode())
        for title, text in report.sections
    ]
    return report


@pytest.fixture(autouse=True)
def cheap_passwords(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def no_other_subscriptions(monkeypatch) -> Iterator[None]:
    """Those of the project's own apps have no part in a test of how subscriptions work."""
    with monkeypatch.context() as patch:
        patch.setattr(subscriptions, "_by_name", {})
        patch.setattr(projections, "_by_name", {})
        follow_subscriptions()
        yield
    follow_subscriptions()


@pytest.fixture
def store(db: None) -> EventStore:
    """The store of the database that this run is on."""
    return event_store()
