"""Run a command with a PostgreSQL server of its own, which ends when the command does.

The command finds the server in DATABASE_URL. If that names a PostgreSQL database already, it is
used as it is. Data and socket are in a temporary directory (set TMPDIR to choose its disk), which
no other user can enter; there is no TCP port. PG_BINDIR chooses among several PostgreSQLs.
"""

from __future__ import annotations

import argparse
import os
import pwd
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlencode

from postgresql_programs import find_bindir

LOCALE = "C.UTF-8" if sys.platform == "linux" else "C"
NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
TIMEOUT_SECONDS = 60


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--durable", action="store_true", help="survive a crash; for benchmarks")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="write -- before it")
    arguments = parser.parse_args()
    if os.environ.get("DATABASE_URL", "").startswith(("postgres://", "postgresql://")):
        return run(arguments.command)
    on_stop_signals(lambda signum, _frame: sys.exit(128 + signum))
    with (
        tempfile.TemporaryDirectory(prefix="postgresql-") as directory,
        private_server(Path(directory), durable=arguments.durable) as url,
    ):
        return run(arguments.command, DATABASE_URL=url)


def on_stop_signals(handler: Any) -> None:
    for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(signum) != signal.SIG_IGN:  # as nohup leaves it
            signal.signal(signum, handler)


def run(command: list[str], **environment: str) -> int:
    """Exit status of the command, with a shell's 128 + n for the end by signal n."""
    try:
        process = subprocess.Popen(command, env=os.environ | environment)
    except OSError as error:
        sys.exit(f"Can't run {command[0]}: {error.strerror}")

    def forward(signum: int, _frame: FrameType | None) -> None:
        # A terminal sends Ctrl-C to the command as well, and a second one would cut short its end.
        if signum != signal.SIGINT or not in_foreground_of_terminal():
            process.send_signal(signum)

    on_stop_signals(forward)
    status = process.wait()
    return status if status >= 0 else 128 - status


def in_foreground_of_terminal() -> bool:
    return os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp()


@contextmanager
def private_server(directory: Path, *, durable: bool) -> Iterator[str]:
    """Yields the URL of a new server that keeps everything in the directory."""
    data, log = directory / "data", directory / "log"
    account = server_account()
    bindir = find_bindir(account, spare_directory=directory)
    give_to(account, directory)

    initdb = [f"{bindir}/initdb", f"--pgdata={data}", "--username=postgres", "--auth=trust"]
    initdb += ["--encoding=UTF8", f"--locale={LOCALE}", "--no-sync"]
    settings = [f"unix_socket_directories={directory}", "listen_addresses=", "max_connections=200"]
    settings += [] if durable else NOT_DURABLE
    postgres = [f"{bindir}/postgres", "-D", str(data), *(f"--{setting}" for setting in settings)]
    shell = ["sh", "-c", f"{shlex.join(initdb)} && exec {shlex.join(postgres)}"]

    with log.open("wb") as output:
        options: dict[str, Any] = {"cwd": directory, "stdout": output, "stderr": output}
        # In a session of its own, the server is not reached by the terminal's Ctrl-C.
        server = subprocess.Popen(shell, start_new_session=True, **options, **account)
    try:
        if not is_ready_in_time(server, data / "postmaster.pid"):
            sys.exit(f"PostgreSQL did not start:\n{tail(log)}")
        query = urlencode({"host": directory, "user": "postgres"}, safe="/")
        yield f"postgresql:///postgres?{query}"
    finally:
        on_stop_signals(signal.SIG_IGN)
        stop(server)


def server_account() -> dict[str, Any]:
    """Arguments for subprocess: PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return {}
    users = {user.pw_name: user for user in pwd.getpwall()}
    user = users.get("postgres") or users.get("nobody")
    if user is None:
        sys.exit("PostgreSQL can't be run by root, and there is no user postgres or nobody.")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def give_to(account: dict[str, Any], directory: Path) -> None:
    for path in (directory, *directory.rglob("*")) if account else ():
        os.chown(path, account["user"], account["group"], follow_symlinks=False)


def is_ready_in_time(server: subprocess.Popen[Any], lock_file: Path) -> bool:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        # Its last line is the server's state, which pg_ctl waits for as well. While initdb is at
        # work, the file comes and goes.
        with suppress(FileNotFoundError):
            if lock_file.read_text().rstrip().endswith("\nready"):
                return True
        time.sleep(0.02)
    return False


def stop(server: subprocess.Popen[Any]) -> None:
    # PostgreSQL's fast shutdown, then its immediate one. The group, because it may still be initdb.
    for signum in (signal.SIGINT, signal.SIGQUIT):
        if server.poll() is None:
            os.killpg(server.pid, signum)
            with suppress(subprocess.TimeoutExpired):
                server.wait(TIMEOUT_SECONDS)


def tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])


if __name__ == "__main__":
    sys.exit(main())
