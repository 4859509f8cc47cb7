"""What operators did can't be changed or deleted afterwards, not even by SQL."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from events.models import OperatorAction
from tests.store.sessions import execute

TABLE = "events_operator_log"
CHANGES = {
    "update": f"UPDATE {TABLE} SET actor = 'nobody'",
    "update of one": f"UPDATE {TABLE} SET reason = '' WHERE action = 'discard'",
    "delete": f"DELETE FROM {TABLE}",
    "upsert": (
        f"INSERT INTO {TABLE} SELECT * FROM {TABLE} WHERE true"
        " ON CONFLICT (id) DO UPDATE SET actor = 'nobody'"
    ),
}
CHANGES_PAST_THE_MODEL = {
    "update": lambda: OperatorAction._base_manager.update(actor="nobody"),
    "delete": lambda: OperatorAction._base_manager.all().delete(),
    "raw delete": lambda: OperatorAction.objects.all()._raw_delete("default"),
}


def act():
    for action in ("pause", "discard"):
        OperatorAction.objects.create(action=action, actor="ann", reason="why")


def log():
    return execute(f"SELECT action, actor, reason FROM {TABLE} ORDER BY id")


@pytest.mark.django_db
@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES)
def test_the_database_refuses_changes(statement):
    act()
    before = log()

    with pytest.raises(IntegrityError, match=f"{TABLE} is append-only"), transaction.atomic():
        execute(statement)

    assert log() == before


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES_PAST_THE_MODEL.values(), ids=CHANGES_PAST_THE_MODEL)
def test_the_database_refuses_changes_that_go_past_the_model(change):
    act()

    with pytest.raises(IntegrityError, match=f"{TABLE} is append-only"), transaction.atomic():
        change()


@pytest.mark.sqlite
@pytest.mark.django_db
def test_sqlite_refuses_to_replace_a_row():
    act()
    columns = [field.column for field in OperatorAction._meta.fields]
    values = ["'nobody'" if column == "actor" else column for column in columns]

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        execute(
            f"INSERT OR REPLACE INTO {TABLE} ({', '.join(columns)}) "
            f"SELECT {', '.join(values)} FROM {TABLE}"
        )


@pytest.mark.django_db(transaction=True)
def test_flush_empties_it_and_leaves_it_append_only():
    act()

    call_command("flush", interactive=False, verbosity=0)

    assert log() == []
    act()
    for statement in CHANGES.values():
        with pytest.raises(IntegrityError, match="append-only"):
            execute(statement)
    assert len(log()) == 2
