"""docs/benchmarks.md: a run of one suite replaces its part, and says what was not won."""

from __future__ import annotations

import pytest

from benchmarks.document import HEAD, part, update, updated
from benchmarks.report import Row

pytestmark = pytest.mark.django_db


def row(suite, ratio, at_least=None, case="a race"):
    return Row(
        suite=suite,
        case=case,
        against="a peer",
        ours=1000.0 * ratio,
        theirs=1000.0,
        unit="events/s",
        ratio=ratio,
        at_least=at_least,
    )


def test_a_run_replaces_the_parts_of_its_suites_and_leaves_the_others():
    first = updated("", {"store": "old store", "bus": "old bus"})
    second = updated(first, {"bus": "new bus", "import": "new import"})

    assert second.startswith(HEAD)
    assert [line for line in second.splitlines() if line.startswith(("old", "new"))] == [
        "old store",
        "new bus",
        "new import",
    ]
    assert updated(second, {}) == second


@pytest.mark.postgresql
def test_what_was_not_won_is_said(tmp_path):
    rows = [
        row("store", 2.0, 1.5, case="won"),
        row("store", 0.8, 0.5, case="slower"),
        row("store", 1.2, 2.0, case="too slow"),
        row("bus", 0.1, case="of another suite"),
    ]

    update(["store"], rows, tmp_path / "benchmarks.md")
    text = (tmp_path / "benchmarks.md").read_text()

    assert "| won | a peer | 2,000 | 1,000 | events/s | 2.00 | 1.50 |" in text
    _, losses = text.split("Not won:")
    assert "- slower, against a peer: 0.80 times (wanted: 0.50)." in losses
    assert (
        "- too slow, against a peer: 1.20 times (wanted: 2.00), **which is not enough**." in losses
    )
    assert "won, against" not in losses
    assert "another suite" not in text
    assert "PostgreSQL 1" in text


@pytest.mark.postgresql
def test_a_suite_that_won_all_says_so():
    assert "Nothing here was lost." in part("store", [row("store", 2.0)])
