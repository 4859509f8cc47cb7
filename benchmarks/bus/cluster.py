"""A django-q2 cluster, and a task for each event."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from ..harness import Operation
from ..store.plain_django import payment_data
from .models import Receipt

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 120


def write_row(position: int, amount: str, reference: str) -> None:
    """The task: what it needs of the event comes with it."""
    Receipt(
        position=position,
        amount=Decimal(amount),
        reference=reference,
        handled_at=time.monotonic(),
    ).save(force_insert=True)


def enqueue(position: int) -> None:
    data = payment_data()
    async_task(f"{__name__}.write_row", position, data["amount"], data["reference"])


def prepare_tasks(events: int) -> Operation:
    """Has as many tasks done. To put them into the queue costs next to nothing here."""
    enqueue(1)
    [template] = OrmQ.objects.all()
    template.delete()
    SignedPackage.loads(template.payload)  # or each task would be thrown away

    def do_all() -> None:
        OrmQ.objects.bulk_create(
            [
                OrmQ(key=template.key, payload=template.payload, lock=template.lock)
                for _ in range(events)
            ]
        )
        wait_until_done()

    return do_all


def wait_until_done() -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while OrmQ.objects.exists():
        if time.monotonic() > deadline:
            raise RuntimeError("The cluster is not done in time.")
        time.sleep(0.005)


@contextmanager
def cluster(settings: str) -> Iterator[None]:
    """Works on the database of Django's connection; `cluster_settings` has these settings."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": url.geturl(),
            "DJANGO_SETTINGS_MODULE": "benchmarks.bus.cluster_settings",
            "BENCHMARK_CLUSTER": settings,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        enqueue(0)
        wait_until_done()
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
