"""The script that gives a command a RabbitMQ of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.processes import eventually

ROOT = Path(__file__).parents[2]
SCRIPT = [sys.executable, str(ROOT / "scripts" / "private_rabbitmq.py"), "--"]
UNTIL_EOF = [sys.executable, str(ROOT / "scripts" / "until_eof.py")]
GIVEN_URL = "amqp://given"


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SCRIPT, *command],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_broker_that_is_given_is_used_as_it_is():
    shown = run(
        sys.executable, "-c", "import os; print(os.environ['AMQP_URL'])", AMQP_URL=GIVEN_URL
    )
    assert (shown.returncode, shown.stdout) == (0, f"{GIVEN_URL}\n")


def test_the_status_is_the_commands_own():
    assert run(sys.executable, "-c", "raise SystemExit(7)", AMQP_URL=GIVEN_URL).returncode == 7


def test_where_there_is_none_that_is_said_and_the_command_is_run_without(tmp_path):
    code = "import os; print(os.environ.get('AMQP_URL') or 'none')"
    finished = run(sys.executable, "-c", code, AMQP_URL="", PATH=str(tmp_path))
    assert finished.stdout == "none\n"
    assert "No RabbitMQ, and no test of it" in finished.stderr
    assert "set AMQP_URL" in finished.stderr


def test_what_runs_until_eof_ends_with_a_killed_parent(tmp_path):
    last = tmp_path / "last"
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, *UNTIL_EOF, "--last", f"touch {last}", "sleep 600"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert is_running(pid)

    parent.kill()
    parent.wait()
    parent.stdout.close()

    eventually(lambda: not is_running(pid))
    eventually(last.exists)


_PARENT = """
import subprocess, sys, time
subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
