"""Finds a RabbitMQ server: of this system, else of Debian's packages, else of Docker.

Packages are downloaded and unpacked below build/, not installed: nothing of the system changes, and
no service is left running.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

UNPACKED = Path(__file__).parents[1] / "build" / "rabbitmq"
DOCKER_IMAGE = "rabbitmq:4-management"
#: Where packages have the script itself; the one in PATH insists on an account.
PACKAGED = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
DOWNLOAD_SECONDS = 300

_ERL = """#!/bin/sh
ROOTDIR={root} BINDIR={bindir} EMU=beam PROGNAME=erl
export ROOTDIR BINDIR EMU PROGNAME
exec "$BINDIR/erlexec" "$@"
"""


class NoRabbitMQ(Exception):
    """Why there is none, for whoever wants to run one."""


@dataclass(frozen=True, slots=True)
class Programs:
    server: str
    epmd: str
    environment: Mapping[str, str] = field(default_factory=dict)


def find_programs() -> Programs:
    """Raises NoRabbitMQ."""
    server = str(PACKAGED) if PACKAGED.exists() else shutil.which("rabbitmq-server")
    epmd = shutil.which("epmd")
    if server and epmd:
        return Programs(server, epmd)
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        return _unpacked()
    raise NoRabbitMQ("it isn't installed, and there is no apt-get to get it with")


def has_docker() -> bool:
    if not shutil.which("docker"):
        return False
    options: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.call(["docker", "version"], **options) == 0


def _unpacked() -> Programs:
    usr = UNPACKED / "usr"
    if not usr.exists():
        _download()
    [bindir] = (usr / "lib" / "erlang").glob("erts-*/bin")
    places = (usr / "lib", UNPACKED / "lib")
    libraries = [path for place in places for path in place.glob("*-linux-*") if path.is_dir()]
    environment = {
        "PATH": f"{UNPACKED / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
    }
    server = usr / "lib" / "rabbitmq" / "bin" / "rabbitmq-server"
    return Programs(str(server), str(bindir / "epmd"), environment)


def _download() -> None:
    print("No RabbitMQ found: Debian's package is downloaded into build/", file=sys.stderr)
    spare = UNPACKED.with_name(f"rabbitmq.{os.getpid()}")
    spare.mkdir(parents=True)
    try:
        _download_packages(spare)
        for archive in spare.glob("*.deb"):
            _run(["dpkg-deb", "--extract", str(archive), str(spare)], spare)
            archive.unlink()
        _write_erl(spare)
        spare.rename(UNPACKED)
    finally:
        shutil.rmtree(spare, ignore_errors=True)


def _download_packages(directory: Path) -> None:
    download = ["apt-get", "download", "--quiet"]
    if packages := _packages():
        # What apt knows can be so old that the archive doesn't have it any more.
        with suppress(NoRabbitMQ):
            return _run([*download, *packages], directory)
    return _run([*download, *_packages_after_update()], directory)


def _packages() -> list[str]:
    """Those that apt would install, as name=version. Empty where apt doesn't know them."""
    command = ["apt-get", "install", "--simulate", "--no-install-recommends", "rabbitmq-server"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line.split() for line in answer.stdout.splitlines() if line.startswith("Inst ")]
    return [f"{name}={version.strip('()')}" for _, name, version, *_ in lines]


def _packages_after_update() -> list[str]:
    if os.geteuid() != 0:
        raise NoRabbitMQ("apt-get knows no rabbitmq-server: run apt-get update")
    _run(["apt-get", "update", "--quiet"], Path("/"))
    if packages := _packages():
        return packages
    raise NoRabbitMQ("apt-get knows no rabbitmq-server")


def _write_erl(spare: Path) -> None:
    """The package's own looks for itself in /usr."""
    [bindir] = (spare / "usr" / "lib" / "erlang").glob("erts-*/bin")
    final = UNPACKED / bindir.relative_to(spare)
    erl = spare / "bin" / "erl"
    erl.parent.mkdir()
    root, quoted = shlex.quote(str(final.parents[1])), shlex.quote(str(final))
    erl.write_text(_ERL.format(root=root, bindir=quoted))
    erl.chmod(0o755)


def _run(command: Sequence[str], directory: Path) -> None:
    try:
        subprocess.run(
            command,
            cwd=directory,
            check=True,
            text=True,
            timeout=DOWNLOAD_SECONDS,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except subprocess.SubprocessError as error:
        output = getattr(error, "output", None) or ""
        raise NoRabbitMQ(f"{shlex.join(command)[:80]} failed: {output[-500:]}") from error
