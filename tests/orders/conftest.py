from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.orders.styles import STYLES, Style, installed


@pytest.fixture(params=STYLES)
def style(request: pytest.FixtureRequest) -> Iterator[Style]:
    """The order process, in each of its styles."""
    with installed(request.param) as chosen:
        yield chosen
