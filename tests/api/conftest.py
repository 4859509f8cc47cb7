from __future__ import annotations

import base64
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from events.command_bus import command_bus
from events.registry import command_types

from . import ordering  # noqa: F401  (registers its commands)

PASSWORD = "correct horse battery staple"


class Api:
    """Speaks JSON to the API, as one user or as nobody."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def send(self, slug: str, body: Any, **headers: str) -> Any:
        return self.post(f"/api/commands/{slug}", body, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.client.post(path, body, content_type="application/json", headers=headers)

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers)

    def events(self, stream: str) -> list[dict[str, Any]]:
        response = self.get(f"/api/streams/{stream}/events")
        assert response.status_code == 200, response.content
        return response.json()["events"]


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def nobody(client: Client) -> Api:
    return Api(client)


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser("ada", password=PASSWORD)


@pytest.fixture
def api(superuser: User) -> Api:
    """As a superuser with a session."""
    client = Client()
    client.force_login(superuser)
    return Api(client)


@pytest.fixture
def clerk(db: None) -> User:
    """May register users and place orders, and nothing else."""
    user = User.objects.create_user("grace", password=PASSWORD)
    user.user_permissions.add(Permission.objects.get(codename="register_user"))
    return user


@pytest.fixture
def clerks_api(clerk: User) -> Api:
    client = Client()
    client.force_login(clerk)
    return Api(client)


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten after it."""
    for registry, name in [
        (command_types, "_classes"),
        (command_types, "_codecs"),
        (command_bus, "_handlers"),
    ]:
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))


def basic(username: str, password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
