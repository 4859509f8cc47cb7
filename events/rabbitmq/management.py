"""RabbitMQ's HTTP API, as far as the doctor asks it. It only ever reads."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import Request, urlopen

from ..exceptions import BrokerUnavailable

TIMEOUT_SECONDS = 10


class Management:
    """Of one virtual host."""

    def __init__(self, url: str, virtual_host: str) -> None:
        parts = urlsplit(url)
        self._base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        account = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        self._authorization = "Basic " + b64encode(account.encode()).decode()
        self._virtual_host = quote(virtual_host, safe="")

    def queue(self, name: str) -> dict[str, Any] | None:
        """None where there is no such queue. Raises BrokerUnavailable."""
        found = self._get(f"queues/{self._virtual_host}/{quote(name, safe='')}")
        return found if isinstance(found, dict) else None

    def feature_flags(self) -> dict[str, str]:
        """Their states by name."""
        found = self._get("feature-flags")
        return {each["name"]: each["state"] for each in found or []}

    def _get(self, path: str) -> Any:
        request = Request(
            f"{self._base}/api/{path}", headers={"Authorization": self._authorization}
        )
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                return json.loads(response.read())
        except HTTPError as error:
            if error.code == 404:
                return None
            raise BrokerUnavailable(f"The management API answers {error}") from error
        except (OSError, ValueError) as error:
            raise BrokerUnavailable(f"The management API can't be asked: {error}") from error
