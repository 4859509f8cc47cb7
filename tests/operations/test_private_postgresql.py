"""The script that gives a command a PostgreSQL of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = [sys.executable, str(ROOT / "scripts" / "private_postgresql.py"), "--"]
GIVEN_URL = "postgres:///given"
ASK_SERVER = """
import os, environ, psycopg
from urllib.parse import urlsplit, parse_qs
host = parse_qs(urlsplit(os.environ["DATABASE_URL"]).query)["host"][0]
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    print(connection.execute("SHOW data_directory").fetchone()[0])
    print(connection.execute("SHOW listen_addresses").fetchone()[0] or "no port")
print(oct(os.stat(host).st_mode)[-3:])
"""


def run(*command: str, url: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    if url is not None:
        environment["DATABASE_URL"] = url
    return subprocess.run(
        [*SCRIPT, *command], env=environment, capture_output=True, text=True, check=False
    )


def test_a_postgresql_that_is_given_is_used_as_it_is():
    shown = run(sys.executable, "-c", "import os; print(os.environ['DATABASE_URL'])", url=GIVEN_URL)
    assert (shown.returncode, shown.stdout) == (0, f"{GIVEN_URL}\n")


@pytest.mark.parametrize(
    ("code", "status"), [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_the_status_is_the_commands_own(code, status):
    assert run(sys.executable, "-c", code, url=GIVEN_URL).returncode == status


def test_a_command_that_does_not_exist_is_named():
    finished = run("no-such-command", url=GIVEN_URL)
    assert finished.returncode == 1
    assert "Can't run no-such-command: No such file" in finished.stderr


@pytest.mark.postgresql
def test_a_server_is_private_and_gone_with_the_command():
    finished = run(sys.executable, "-c", ASK_SERVER, url=None)
    assert finished.returncode == 0, finished.stderr
    data_directory, port, mode = finished.stdout.split("\n")[:3]
    assert (port, mode) == ("no port", "700")
    assert not Path(data_directory).exists()
    assert not Path(data_directory).parent.exists()
