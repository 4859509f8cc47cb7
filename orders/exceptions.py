"""What the shop's rules refuse, and what its foreign systems fail with. The codes are part of the
API."""

from __future__ import annotations

from uuid import UUID

from events.exceptions import CommandRefused, Unavailable


class OrderAlreadyPlaced(CommandRefused):
    code = "order_already_placed"

    def __init__(self, order_id: UUID) -> None:
        super().__init__(f"Order {order_id} is placed already.", order_id=str(order_id))


class OrderIsCancelled(CommandRefused):
    code = "order_is_cancelled"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"Order {order_id} is cancelled.", order_id=order_id)


class OrderIsCompleted(CommandRefused):
    code = "order_is_completed"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"Order {order_id} is completed.", order_id=order_id)


class OrderIsShipped(CommandRefused):
    """Cancel the shipment first."""

    code = "order_is_shipped"

    def __init__(self, order_id: str, tracking_number: str) -> None:
        super().__init__(
            f"Order {order_id} is on its way as {tracking_number}.",
            order_id=order_id,
            tracking_number=tracking_number,
        )


class GatewayUnavailable(Unavailable):
    """The foreign system failed, and did nothing. To be asked again, with the same key."""


class GatewayTimeout(Unavailable):
    """The foreign system gave no answer: what it did, only asking again with the same key tells."""


class OrderCancelledMeanwhile(Unavailable):
    """While the carrier was asked, which has a parcel now. The same again calls it back."""

    def __init__(self, order_id: UUID) -> None:
        super().__init__(f"Order {order_id} was cancelled while its parcel was arranged.")


class UndoRefused(CommandRefused):
    """The foreign system keeps what it has done. Asking again won't help; a human must."""

    code = "undo_refused"

    def __init__(self, effect_key: str, reason: str) -> None:
        super().__init__(f"{effect_key} is not undone: {reason}", effect_key=effect_key)


class EffectKeyReused(CommandRefused):
    """The key of an effect came again, for another one. Nothing was done."""

    code = "effect_key_reused"

    def __init__(self, effect_key: str, field: str, first: str, now: str) -> None:
        super().__init__(
            f"{effect_key} was used for another effect: {field} was {first}, now it is {now}.",
            effect_key=effect_key,
            field=field,
        )
