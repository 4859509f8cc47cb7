from __future__ import annotations

from tests.transfer.conftest import folder, run  # noqa: F401
