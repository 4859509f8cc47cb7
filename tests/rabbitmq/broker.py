"""The broker as a stranger sees it, who knows nothing of the project: by py-amqp and HTTP."""

from __future__ import annotations

import json
import os
import socket
import threading
from base64 import b64encode
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from urllib.request import Request, urlopen

import amqp
from kombu.connection import Connection

from tests.processes import eventually

TIMEOUT_SECONDS = 20


def amqp_url() -> str | None:
    return os.environ.get("AMQP_URL")


def management_url() -> str:
    given = os.environ.get("RABBITMQ_MANAGEMENT_URL")
    if given:
        return given
    parts = urlsplit(amqp_url() or "")
    return f"http://{parts.username}:{parts.password}@{parts.hostname}:15672"


class Stranger:
    """A channel, and what one does with it."""

    def __init__(self, url: str) -> None:
        self._connection = Connection(url)
        self._connection.connect()
        self.channel = self._new_channel()

    def _new_channel(self) -> Any:
        return self._connection.connection.channel()

    def close(self) -> None:
        self._connection.release()

    def bind(self, queue: str, exchange: str, key: str = "#") -> None:
        """A queue of its own, bound to an exchange that is there."""
        self.channel.queue_declare(queue, durable=True, auto_delete=False)
        self.channel.queue_bind(queue, exchange, key)

    def get(self, queue: str, *, no_ack: bool = True) -> Any:
        """The next message, waited for."""
        found: list[Any] = []

        def look() -> bool:
            message = self.channel.basic_get(queue, no_ack=no_ack)
            if message is not None:
                found.append(message)
            return bool(found)

        eventually(look, seconds=TIMEOUT_SECONDS)
        return found[0]

    def get_all(self, queue: str) -> list[Any]:
        """What is there now."""
        messages = []
        while (message := self.channel.basic_get(queue, no_ack=True)) is not None:
            messages.append(message)
        return messages

    def depth(self, queue: str) -> int:
        """Ready messages; -1 where there is no such queue."""
        try:
            return int(self.channel.queue_declare(queue, passive=True).message_count)
        except amqp.NotFound:
            self.channel = self._new_channel()
            return -1

    def consumers(self, queue: str) -> int:
        """0 where there is no such queue."""
        try:
            return int(self.channel.queue_declare(queue, passive=True).consumer_count)
        except amqp.NotFound:
            self.channel = self._new_channel()
            return 0

    def publish(self, body: bytes, *, exchange: str = "", key: str, **properties: Any) -> None:
        message = amqp.Message(body, delivery_mode=2, **properties)
        self.channel.basic_publish(message, exchange=exchange, routing_key=key)


@contextmanager
def stranger(url: str):
    someone = Stranger(url)
    try:
        yield someone
    finally:
        someone.close()


@contextmanager
def silenced(url: str):
    """A way to the broker for one connection, and an event: once set, no answer comes through."""
    parts, is_silent = urlsplit(url), threading.Event()

    def forward(source: socket.socket, target: socket.socket, is_cut: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not is_cut.is_set():
                    target.sendall(data)

    def serve() -> None:
        with suppress(OSError):
            client, _ = listener.accept()
            broker = socket.create_connection((parts.hostname, parts.port))
            sockets.extend((client, broker))
            way_in = threading.Thread(target=forward, args=(client, broker, threading.Event()))
            way_in.start()
            forward(broker, client, is_silent)
            way_in.join()

    sockets = [listener := socket.create_server(("127.0.0.1", 0))]
    server = threading.Thread(target=serve)
    server.start()
    try:
        way = parts._replace(
            netloc=f"{parts.username}:{parts.password}@127.0.0.1:{listener.getsockname()[1]}"
        )
        yield way.geturl(), is_silent
    finally:
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        server.join()


def api(method: str, path: str, body: Any = None) -> Any:
    """An answer of the management API."""
    parts = urlsplit(management_url())
    account = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    request = Request(
        f"{parts.scheme}://{parts.hostname}:{parts.port}/api/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": "Basic " + b64encode(account.encode()).decode(),
            "Content-Type": "application/json",
        },
    )
    with urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        content = response.read()
    return json.loads(content) if content else None


def delete_all(prefix: str) -> None:
    """Queues and exchanges whose names begin so."""
    for kind in ("queues", "exchanges"):
        for each in api("GET", f"{kind}/%2F?columns=name"):
            if each["name"].startswith(prefix):
                api("DELETE", f"{kind}/%2F/{quote(each['name'], safe='')}")


def close_connections(purpose: str) -> int:
    """By force, of those whose name says so. How many that were."""
    count = 0
    for each in api("GET", "connections"):
        name = each.get("client_properties", {}).get("connection_name", "")
        if purpose in name:
            api("DELETE", f"connections/{quote(each['name'], safe='')}")
            count += 1
    return count
