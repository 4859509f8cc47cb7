"""Run commands until standard input ends: `until_eof.py [--last COMMAND] COMMAND...`.

Whoever holds the other end of the pipe need not end well: killed, it ends these, too. Each COMMAND
is one argument, as a shell's words. Their process ids are printed, in one line. The end of one of
them is the end of all; then they are killed, and the last one is run.
"""

from __future__ import annotations

import argparse
import os
import select
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--last", action="append", default=[])
    parser.add_argument("commands", nargs="*")
    arguments = parser.parse_args()
    for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)
    processes: list[subprocess.Popen[Any]] = []
    try:
        for command in arguments.commands:
            words = shlex.split(command)
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True)
            processes.append(process)
        print(*(process.pid for process in processes), flush=True)
        wait(processes)
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for command in arguments.last:
            subprocess.call(shlex.split(command), stdout=subprocess.DEVNULL)


def wait(processes: list[subprocess.Popen[Any]]) -> None:
    while all(process.poll() is None for process in processes):
        readable, _, _ = select.select([sys.stdin], [], [], 0.1)
        if readable and not os.read(sys.stdin.fileno(), 1024):
            return


if __name__ == "__main__":
    main()
