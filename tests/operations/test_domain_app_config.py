"""An app's own modules are imported at start-up, so that what they declare is known."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import AppConfig

from events.apps import DomainAppConfig, EventsConfig

ROOT = Path(__file__).parents[2]


@pytest.fixture
def app(tmp_path, monkeypatch):
    """Makes an importable app of these modules, and its config."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def make(**modules: str) -> DomainAppConfig:
        write_app(tmp_path / "bakery", **modules)
        return DomainAppConfig("bakery", import_module("bakery"))

    yield make
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write_app(folder: Path, **modules: str) -> None:
    folder.mkdir()
    (folder / "__init__.py").touch()
    for name, code in modules.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(code))


def test_the_modules_of_the_domain_are_imported(app):
    modules = ("events", "upcasters", "commands", "handlers", "projections")
    app(**dict.fromkeys(modules, ""), models="").ready()
    for module in modules:
        assert f"bakery.{module}" in sys.modules
    assert "bakery.models" not in sys.modules


def test_a_module_that_does_not_exist_is_fine(app):
    app(handlers="").ready()
    assert "bakery.handlers" in sys.modules


def test_a_module_may_be_a_package(app, tmp_path):
    config = app()
    write_app(tmp_path / "bakery" / "events", cake="")
    (tmp_path / "bakery" / "events" / "__init__.py").write_text("from . import cake")
    config.ready()
    assert "bakery.events.cake" in sys.modules


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import no_such_module", ModuleNotFoundError),
        ("from . import no_such_module", ImportError),
        ("from .events import NoSuchEvent", ImportError),
        ("1 / 0", ZeroDivisionError),
        ("def", SyntaxError),
    ],
)
def test_an_error_inside_of_a_module_is_raised(app, code, error):
    config = app(events="", handlers=code)
    with pytest.raises(error):
        config.ready()


def test_an_app_may_name_other_modules(app):
    class BakeryConfig(DomainAppConfig):
        domain_modules = (*DomainAppConfig.domain_modules, "ovens")

    app(ovens="")
    BakeryConfig("bakery", import_module("bakery")).ready()
    assert "bakery.ovens" in sys.modules


def test_the_base_is_nobodys_config_but_its_subclasses_are():
    class BakeryConfig(DomainAppConfig):
        pass

    class OtherConfig(BakeryConfig):
        default = False

    assert (DomainAppConfig.default, BakeryConfig.default, OtherConfig.default) == (
        False,
        True,
        False,
    )


APPS = """
from django.utils.translation import gettext_lazy as _
from events.apps import DomainAppConfig, EventsConfig

class BakeryConfig(DomainAppConfig):
    name = "bakery"
"""
EVENTS = """
from events.messages import Command
from events.registry import command

@command("BakeBread")
class BakeBread(Command):
    loaves: int
"""
HANDLERS = """
from events.command_bus import handles
from .events import BakeBread

@handles(BakeBread)
def bake(command):
    pass
"""
START = """
import django
from django.conf import settings

settings.configure(INSTALLED_APPS=["events", "bakery"], USE_TZ=True)
django.setup()

from django.apps import apps
from events.command_bus import command_bus

print(type(apps.get_app_config("bakery")).__name__, [cls.command_type for cls in command_bus])
"""


def test_a_new_project_finds_the_handlers_of_its_apps_at_start_up(tmp_path):
    """Also: the two apps need nothing else of Django, and no setting."""
    write_app(tmp_path / "bakery", apps=APPS, events=EVENTS, handlers=HANDLERS)
    started = subprocess.run(
        [sys.executable, "-c", START],
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.stderr == ""
    assert started.stdout == "BakeryConfig ['BakeBread']\n"


def test_the_apps_own_config_pins_what_its_migrations_rely_on():
    assert EventsConfig.label == "events"
    assert EventsConfig.default_auto_field == "django.db.models.BigAutoField"
    assert issubclass(EventsConfig, AppConfig)
