from __future__ import annotations

import os

from benchmarks.settings import *  # noqa: F403
from benchmarks.settings import Q_CLUSTER as FULL_CLUSTER

_OPTIONS = {
    # No results are kept, rows are taken many at a time, and it never sleeps for long.
    "BEST": {"save_limit": -1, "bulk": 100, "queue_limit": 500, "poll": 0.01},
    "STOCK": {},
}
Q_CLUSTER = {
    "name": FULL_CLUSTER["name"],  # which the tasks are signed for
    "orm": "default",
    "workers": 1,
    "timeout": 60,
    "retry": 600,
    **_OPTIONS[os.environ["BENCHMARK_CLUSTER"]],
}
