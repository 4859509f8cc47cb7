"""Run a command with a RabbitMQ broker of its own, which ends when the command does.

The command finds the broker in AMQP_URL, and its management API in RABBITMQ_MANAGEMENT_URL. If the
first is set already, it is used as it is. Data are in a temporary directory; all ports are random,
and open to this machine only. Where no broker can be had, this is said, and the command is run
without one.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from private_postgresql import on_stop_signals, run, tail
from rabbitmq_programs import DOCKER_IMAGE, NoRabbitMQ, find_programs, has_docker

UNTIL_EOF = [sys.executable, str(Path(__file__).with_name("until_eof.py"))]
TIMEOUT_SECONDS = 90
USER = "guest"

_CONFIGURATION = """
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
log.console = true
log.console.level = warning
log.file = false
disk_free_limit.absolute = 50MB
heartbeat = 10
collect_statistics_interval = 500
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="write -- before it")
    arguments = parser.parse_args()
    if os.environ.get("AMQP_URL"):
        return run(arguments.command)
    on_stop_signals(lambda signum, _frame: sys.exit(128 + signum))
    try:
        broker = new_broker()
        broker.start()
    except NoRabbitMQ as error:
        print(f"No RabbitMQ, and no test of it: {error}.", file=sys.stderr)
        print("Install rabbitmq-server or Docker, or set AMQP_URL.", file=sys.stderr)
        return run(arguments.command)
    try:
        return run(
            arguments.command,
            AMQP_URL=broker.url,
            RABBITMQ_MANAGEMENT_URL=broker.management_url,
        )
    finally:
        broker.remove()


def new_broker(*, is_restarted: bool = False) -> Broker:
    """Not started yet. Raises NoRabbitMQ."""
    try:
        programs = find_programs()
    except NoRabbitMQ:
        if has_docker():
            return DockerBroker(is_restarted=is_restarted)
        raise
    return LocalBroker(
        programs.server,
        programs.epmd,
        dict(programs.environment),
        is_restarted=is_restarted,
    )


@contextmanager
def restarted_broker() -> Iterator[Broker]:
    """Not started yet; killed and started again as the block likes."""
    broker = new_broker(is_restarted=True)
    try:
        yield broker
    finally:
        broker.remove()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass(kw_only=True)
class Broker:
    """Keeps its ports and its data when it is killed and started again."""

    amqp_port: int = field(default_factory=free_port)
    management_port: int = field(default_factory=free_port)
    #: Its data outlive it.
    is_restarted: bool = False
    _guard: subprocess.Popen[Any] | None = None

    @property
    def url(self) -> str:
        return f"amqp://{USER}:{USER}@127.0.0.1:{self.amqp_port}//"

    @property
    def management_url(self) -> str:
        return f"http://{USER}:{USER}@127.0.0.1:{self.management_port}"

    def start(self) -> None:
        """Until it can be used. Raises NoRabbitMQ."""
        self.begin()
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not self.is_ready():
            if time.monotonic() > deadline or self._guard is None or self._guard.poll() is not None:
                self.kill()
                raise NoRabbitMQ(f"the broker did not start: {self.last_words()}")
            time.sleep(0.05)

    def begin(self) -> None:
        """Starts it, and doesn't wait."""
        raise NotImplementedError

    def kill(self) -> None:
        """At once, as the loss of its machine would."""
        if self._guard is not None:
            assert self._guard.stdin is not None
            with suppress(OSError):
                self._guard.stdin.close()
            self._guard.wait()
            self._guard = None

    def remove(self) -> None:
        """With all that it has kept."""
        self.kill()

    def is_ready(self) -> bool:
        """It answers the protocol's first words."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.amqp_port), 1) as sock:
            sock.sendall(b"AMQP\0\0\x09\x01")
            return sock.recv(1) == b"\x01"
        return False

    def last_words(self) -> str:
        return ""


@dataclass
class LocalBroker(Broker):
    server: str
    epmd: str
    environment: dict[str, str]
    directory: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="rabbitmq-")))
    _name: str = field(default_factory=lambda: f"edda{secrets.token_hex(4)}@localhost")
    _epmd_port: int = field(default_factory=free_port)
    _distribution_port: int = field(default_factory=free_port)

    def begin(self) -> None:
        # Before it begins, or this process could be killed in between.
        self._configure()
        commands = [
            shlex.join([self.epmd, "-address", "127.0.0.1", "-port", str(self._epmd_port)]),
            shlex.join([self.server]),
        ]
        with (self.directory / "log").open("ab") as log:
            self._guard = subprocess.Popen(
                [*UNTIL_EOF, *self._at_last(), *commands],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=os.environ | self.environment | self._settings(),
                cwd=self.directory,
                start_new_session=True,
            )

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _at_last(self) -> list[str]:
        remove = shlex.join(["rm", "-rf", str(self.directory)])
        return [] if self.is_restarted else ["--last", remove]

    def last_words(self) -> str:
        return tail(self.directory / "log")

    def _configure(self) -> None:
        configuration = _CONFIGURATION.format(amqp=self.amqp_port, management=self.management_port)
        (self.directory / "rabbitmq.conf").write_text(configuration)
        (self.directory / "plugins").write_text("[rabbitmq_management].")
        (self.directory / "environment").touch()

    def _settings(self) -> dict[str, str]:
        place = self.directory
        return {
            "HOME": str(place),  # for the cookie
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_ALLOW_INPUT": "true",  # no shell around it that would outlive it
            "RABBITMQ_CONFIG_FILE": str(place / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(place / "environment"),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(place / "plugins"),
            "RABBITMQ_FEATURE_FLAGS_FILE": str(place / "feature_flags"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(place / "config"),
            "RABBITMQ_LOG_BASE": str(place),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_MNESIA_BASE": str(place / "data"),
            "RABBITMQ_NODENAME": self._name,
            "RABBITMQ_PID_FILE": str(place / "pid"),
            "RABBITMQ_SCHEMA_DIR": str(place / "schema"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} "
                "+sbwt none +sbwtdcpu none +sbwtdio none"
            ),
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
        }


@dataclass
class DockerBroker(Broker):
    _name: str = field(default_factory=lambda: f"edda-{secrets.token_hex(4)}")
    _is_made: bool = False

    def begin(self) -> None:
        if not self._is_made:
            create = ["docker", "create", "--name", self._name, "--hostname", self._name]
            create += ["--publish", f"127.0.0.1:{self.amqp_port}:5672"]
            create += ["--publish", f"127.0.0.1:{self.management_port}:15672", DOCKER_IMAGE]
            if subprocess.call(create, stdout=subprocess.DEVNULL) != 0:
                raise NoRabbitMQ(f"docker has no {DOCKER_IMAGE}")
            self._is_made = True
        self._guard = subprocess.Popen(
            [*UNTIL_EOF, "--last", f"docker kill {self._name}", f"docker start -a {self._name}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def remove(self) -> None:
        self.kill()
        command = ["docker", "rm", "--force", "--volumes", self._name]
        subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
