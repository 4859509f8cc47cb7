from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = [
    "test_listing_commands.py",
    "test_problems.py",
    "test_reading_events.py",
    "test_sending_commands.py",
    "test_validation.py",
]

WITHOUT_DRF = """
import sys
sys.modules["rest_framework"] = None
import django
from django.conf import settings
from config import settings as ours
settings.configure(
    INSTALLED_APPS=[app for app in ours.INSTALLED_APPS if app in {
        "django.contrib.auth", "django.contrib.contenttypes", "events", "users"}],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    USE_TZ=True,
)
django.setup()
from django.core.management import call_command
call_command("check")
"""


def test_everything_works_the_same_in_a_host_with_other_defaults_for_drf():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-m", "not postgresql", "--ds", "tests.api.hostile_host"]
    command += [str(HERE.relative_to(ROOT) / name) for name in FILES]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_all_but_the_api_works_without_drf():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DRF], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
