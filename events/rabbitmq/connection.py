"""A connection to the broker on which everything that the topology names has been declared.

`Link` opens it; `Pulse` keeps one alive while its owner is busy with something else.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import amqp
from amqp.exceptions import AMQPError, FrameSyntaxError, PreconditionFailed
from amqp.method_framing import frame_handler
from kombu.connection import Connection
from kombu.exceptions import OperationalError

from ..bus.retry import RetryPolicy
from ..exceptions import BrokerUnavailable, TopologyMismatch
from .conf import RabbitMQSettings
from .topology import Binding, Exchange, Queue, Topology

logger = logging.getLogger(__name__)

#: Between two attempts to connect: consumers that were cut off together don't come back together.
RECONNECT = RetryPolicy(
    attempts=1, first_delay_seconds=0.5, factor=2, max_delay_seconds=30, jitter=0.5
)


#: Of AMQP 0-9-1, 4.2.6.1: the frame's type, what comes before the properties, and no properties.
_CONTENT_HEADER, _HEADER_BYTES, _NO_PROPERTIES = 2, 12, b"\0\0"


@contextmanager
def broker_errors() -> Iterator[None]:
    """Whatever the client raises when the connection or its channel is of no more use, as
    BrokerUnavailable."""
    try:
        yield
    except (AMQPError, OperationalError, OSError) as error:
        raise BrokerUnavailable(f"{type(error).__name__}: {error}") from error
    except AttributeError as error:
        # The client has put None where the connection was, and goes on with that.
        if error.obj is not None:
            raise
        raise BrokerUnavailable("the connection is lost") from error


class Link:
    """Opened by `connect`, as often as needed; a closed one is as good as new."""

    def __init__(
        self,
        settings: RabbitMQSettings,
        topology: Topology,
        *,
        purpose: str,
        has_pulse: bool = True,
    ) -> None:
        self.settings = settings
        self.topology = topology
        self._purpose = purpose
        #: Whether anybody will `tick`. Without heartbeats, a lost peer is noticed by its silence.
        self._has_pulse = has_pulse
        #: Held by whoever uses the connection or a channel of it, if there is more than one.
        self.lock = threading.RLock()
        self._kombu: Any = None
        self._process = os.getpid()

    @property
    def connection(self) -> amqp.Connection:
        """Raises BrokerUnavailable where there is none."""
        if not self.is_open:
            raise BrokerUnavailable("there is no connection")
        return self._kombu.connection

    @property
    def is_open(self) -> bool:
        """As far as is known without asking. One from before a fork is the parent's."""
        return (
            self._kombu is not None and self._process == os.getpid() and bool(self._kombu.connected)
        )

    def connect(self) -> None:
        """Raises BrokerUnavailable, or TopologyMismatch."""
        self.close()
        self._process = os.getpid()
        self._kombu = Connection(  # type: ignore[no-untyped-call]
            self.settings.url,
            heartbeat=self.settings.heartbeat_seconds if self._has_pulse else 0,
            connect_timeout=self.settings.connect_timeout_seconds,
            transport_options={
                "client_properties": {"connection_name": self._name()},
                # Without it, a declaration that is never answered is waited for for ever.
                "read_timeout": self.settings.confirm_timeout_seconds,
                "write_timeout": self.settings.confirm_timeout_seconds,
                "frame_handler": _frame_handler,
            },
        )
        try:
            with broker_errors():
                self._kombu.ensure_connection(
                    max_retries=max(1, len(self._kombu.alt)),
                    interval_start=0,
                    interval_step=0,
                    interval_max=0,
                )
            declare(self.connection, self.topology)
        except BaseException:
            self.close()
            raise

    def new_channel(self) -> amqp.Channel:
        with broker_errors():
            return self.connection.channel()

    def close(self) -> None:
        opened, self._kombu = self._kombu, None
        if opened is None:
            return
        with suppress(Exception):
            if self._process != os.getpid():
                # The file alone: to say good-bye would end the parent's connection.
                opened._connection.transport.sock.close()
                return
            if opened.connected:
                opened.connection.transport.sock.settimeout(self.settings.connect_timeout_seconds)
                opened.connection.close()
        with suppress(Exception):
            opened.collect()

    def _name(self) -> str:
        return f"edda {self._purpose}, {socket.gethostname()}:{os.getpid()}"


def _frame_handler(connection: Any, callback: Callable[..., Any]) -> Callable[..., bool]:
    """The client's own, but that properties which can't be decoded are left out: such a message
    would end its consumer, and, delivered again, the next one, and so on."""
    handle = frame_handler(connection, callback)

    def handle_any(frame: tuple[int, int, Any]) -> bool:
        kind, channel, content = frame
        try:
            return bool(handle(frame))
        except (UnicodeDecodeError, FrameSyntaxError) as error:
            if kind != _CONTENT_HEADER:
                raise
            logger.warning("The properties of a message can't be decoded: %s", error)
            return bool(handle((kind, channel, bytes(content[:_HEADER_BYTES]) + _NO_PROPERTIES)))

    return handle_any


def declare(connection: amqp.Connection, topology: Iterable[Exchange | Queue | Binding]) -> None:
    """All of it; what is there already stays as it is. Raises TopologyMismatch for the first part
    that is there, but otherwise; BrokerUnavailable."""
    with broker_errors():
        channel = connection.channel()
        for part in topology:
            try:
                part.declare(channel)
            except PreconditionFailed as error:
                name = part.queue if isinstance(part, Binding) else part.name
                raise TopologyMismatch(name, f"{error.reply_text}.") from error
        channel.close()


class Pulse:
    """A thread that reads from the connection and sends heartbeats now and then, so that neither
    end takes the other for dead while the connection's owner is busy with something else."""

    def __init__(self, link: Link, read: Callable[[], object]) -> None:
        #: What it met, for the owner to see.
        self.error: Exception | None = None
        self._link = link
        self._read = read
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="rabbitmq-pulse")

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _beat(self) -> None:
        interval = max(0.2, min(1.0, self._link.settings.heartbeat_seconds / 4))
        while not self._is_over.wait(interval):
            with self._link.lock:
                if self._is_over.is_set():
                    return
                try:
                    self._read()
                    with broker_errors():
                        self._link.connection.heartbeat_tick()
                except Exception as error:
                    self.error = error
                    return
