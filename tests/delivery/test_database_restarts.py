"""PostgreSQL crashes and comes back while events are handled: the worker goes on by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import psycopg
import pytest

from tests.live.site import ROOT, Site
from tests.processes import eventually

SCRIPT = str(ROOT / "scripts" / "private_postgresql.py")


@contextmanager
def private_server():
    """The URL of a server that may be crashed."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    tell_url = "echo $DATABASE_URL; exec sleep 600"
    process = subprocess.Popen(
        [sys.executable, SCRIPT, "--", "sh", "-c", tell_url],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate()


def query(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def crash(url):
    """Ends one session as a fault of the server does, which then ends all others and recovers."""
    [(started_at,)] = query(url, "SELECT pg_postmaster_start_time()")
    with psycopg.connect(url, autocommit=True) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(60)")
    eventually(lambda: is_back(url))
    assert query(url, "SELECT pg_postmaster_start_time()") == [(started_at,)]


def is_back(url):
    try:
        return query(url, "SELECT 1")
    except psycopg.OperationalError:
        return False


def handled(url):
    statement = "SELECT sequence_number FROM effects_effect ORDER BY id"
    return [number for (number,) in query(url, statement)]


@pytest.mark.postgresql
def test_a_worker_outlives_a_crash_of_the_database_in_the_midst_of_a_batch(tmp_path):
    with private_server() as url:
        site = Site(tmp_path, url)
        site.manage("migrate", "--run-syncdb", "--verbosity=0")
        site.append("pen", "ink", "wall", "nib")
        site.wall.touch()
        with site.running("run_subscriptions") as worker:
            eventually(lambda: site.has_reached_the_wall)
            assert handled(url) == []  # none of it is committed

            crash(url)
            site.wall.unlink()
            eventually(lambda: handled(url) == [0, 1, 2, 3])

            site.append("cap")
            eventually(lambda: handled(url) == [0, 1, 2, 3, 4])
            assert worker.poll() is None
        assert query(url, "SELECT count(*) FROM events_failed") == [(0,)]
