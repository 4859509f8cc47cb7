"""What becomes of a message whose handler failed: a copy that waits for a retry, or a dead letter.

Either is confirmed by the broker before the message itself is acknowledged. A crash in between
doubles a message, which the inbox tells.
"""

from __future__ import annotations

from ..bus.subscription import Subscription
from ..delivery.failures import Failure
from .layout import dead_letter_exchange, retry_delay, retry_exchange
from .messages import (
    ATTEMPT,
    ERROR_GROUP,
    ERROR_MESSAGE,
    ERROR_TRACEBACK,
    ERROR_TYPE,
    IncomingMessage,
    OutgoingMessage,
)

#: Headers have to fit into one frame, of 128 KiB.
MAX_HEADER_CHARACTERS = 8_000


def retry_copy(
    exchange: str, subscription: Subscription, message: IncomingMessage
) -> OutgoingMessage:
    """Returns to the subscription's queue when its delay is over."""
    assert subscription.queue is not None
    delay = retry_delay(subscription.retry, message.attempt)
    return message.as_outgoing(
        exchange=retry_exchange(exchange, delay),
        routing_key=subscription.queue.name,
        **{ATTEMPT: message.attempt + 1},
    )


def dead_letter(
    exchange: str, subscription: Subscription, message: IncomingMessage, error: BaseException
) -> OutgoingMessage:
    assert subscription.queue is not None
    failure = Failure.of(error)
    return message.as_outgoing(
        exchange=dead_letter_exchange(exchange),
        routing_key=subscription.queue.name,
        **{
            ATTEMPT: message.attempt,
            ERROR_TYPE: failure.error_type,
            ERROR_MESSAGE: failure.message[:MAX_HEADER_CHARACTERS],
            ERROR_TRACEBACK: failure.traceback[-MAX_HEADER_CHARACTERS:],
            ERROR_GROUP: failure.fingerprint,
        },
    )
