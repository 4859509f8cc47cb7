"""System checks of what the API needs. Silent in a host that doesn't mount it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

from ..conf import events_settings
from ..registry import command_types
from .catalogue import command_slug


@register(Tags.urls)
def check_api(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if not _is_mounted():
        return []
    return [*_commands_with_the_same_url(), *_wrong_authentication_classes(), *_missing_app()]


def _is_mounted() -> bool:
    if not getattr(settings, "ROOT_URLCONF", None):
        return False
    return any(view.startswith(f"{__package__}.") for view in _views(get_resolver().url_patterns))


def _views(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[str]:
    """Their dotted paths."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns)
        else:
            yield pattern.lookup_str


def _commands_with_the_same_url() -> Iterator[CheckMessage]:
    by_slug = defaultdict(list)
    for cls in command_types:
        by_slug[command_slug(cls.command_type)].append(cls)
    for slug, classes in by_slug.items():
        if len(classes) > 1:
            names = " and ".join(cls.command_type for cls in classes)
            yield Error(
                f"The commands {names} have the same URL: commands/{slug}.",
                hint="Rename all but one of them; until then none of them can be sent.",
                obj=classes[-1],
                id="events.E006",
            )


def _wrong_authentication_classes() -> Iterator[CheckMessage]:
    configured: Any = events_settings().api_authentication_classes
    for path in configured if isinstance(configured, list | tuple) else ():
        try:
            import_string(path)
        except (ImportError, AttributeError, TypeError) as error:
            yield Error(
                f"EVENTS['api_authentication_classes'] holds {path!r}: {error}",
                hint="Write the dotted path of an authentication class, such as "
                "'rest_framework.authentication.SessionAuthentication'.",
                id="events.E007",
            )


def _missing_app() -> Iterator[CheckMessage]:
    if not apps.is_installed("rest_framework"):
        yield Error(
            f"{__package__}.urls is used, but 'rest_framework' isn't in INSTALLED_APPS.",
            hint="Add 'rest_framework' to INSTALLED_APPS, so that its templates are found.",
            id="events.E008",
        )
