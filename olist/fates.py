"""What the outside world does about an order that is placed again, and how the order must end.

| status in the data set | the world | the order |
|---|---|---|
| delivered, shipped | all say yes | is completed |
| unavailable | there is no stock | is cancelled, with nothing to undo |
| canceled, never approved | the payment is refused | is cancelled, its stock released |
| canceled, approved | the carrier refuses | is cancelled, paid back, its stock released |
| invoiced, processing, approved | the carrier hasn't answered | waits for its parcel |
| created | the payment isn't answered | waits for its payment |
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from events.exceptions import DecodingError
from orders.models import OrderState, OrderSummary, PaymentState, ReservationState, ShipmentState
from sagas.models import SagaInstance
from sagas.state import Status


class Fate(TextChoices):
    COMPLETED = "completed", _("completed")
    NO_STOCK = "no_stock", _("cancelled, nothing to undo")
    NOT_PAID = "not_paid", _("cancelled, stock released")
    NOT_CARRIED = "not_carried", _("cancelled, payment refunded, stock released")
    PARCEL_AWAITED = "parcel_awaited", _("running, waiting for shipping")
    PAYMENT_AWAITED = "payment_awaited", _("running, waiting for payment")

    @property
    def has_stock(self) -> bool:
        return self is not Fate.NO_STOCK

    @property
    def is_charged(self) -> bool:
        return self in (Fate.COMPLETED, Fate.NOT_CARRIED, Fate.PARCEL_AWAITED)

    @property
    def standing(self) -> Standing:
        return _STANDINGS[self]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an order stands, by the read models of the shop and of its process."""

    order: str
    reservation: str
    payment: str
    shipment: str
    process: str
    under_way: tuple[str, ...]

    @classmethod
    def of(cls, order: OrderSummary, process: SagaInstance) -> Standing:
        return cls(
            order.state,
            order.reservation,
            order.payment,
            order.shipment,
            process.status,
            tuple(process.under_way),
        )

    def __str__(self) -> str:
        parts = (
            f"order {self.order}",
            f"reservation {self.reservation or 'none'}",
            f"payment {self.payment or 'none'}",
            f"shipment {self.shipment or 'none'}",
            f"process {self.process}",
            *self.under_way,
        )
        return ", ".join(parts)


_RESERVED, _PAID = ReservationState.RESERVED, PaymentState.PAID
_CANCELLED, _UNDONE = OrderState.CANCELLED, Status.COMPENSATED
_STANDINGS = {
    Fate.COMPLETED: Standing(
        OrderState.COMPLETED, _RESERVED, _PAID, ShipmentState.ARRANGED, Status.COMPLETED, ()
    ),
    Fate.NO_STOCK: Standing(_CANCELLED, ReservationState.FAILED, "", "", _UNDONE, ()),
    Fate.NOT_PAID: Standing(
        _CANCELLED, ReservationState.RELEASED, PaymentState.FAILED, "", _UNDONE, ()
    ),
    Fate.NOT_CARRIED: Standing(
        _CANCELLED,
        ReservationState.RELEASED,
        PaymentState.REFUNDED,
        ShipmentState.FAILED,
        _UNDONE,
        (),
    ),
    Fate.PARCEL_AWAITED: Standing(OrderState.PAID, _RESERVED, _PAID, "", Status.RUNNING, ("ship",)),
    Fate.PAYMENT_AWAITED: Standing(
        OrderState.RESERVED, _RESERVED, "", "", Status.RUNNING, ("pay",)
    ),
}


def fate_of(status: str, *, is_approved: bool) -> Fate:
    """Raises DecodingError for a status that the data set doesn't have."""
    match status:
        case "delivered" | "shipped":
            return Fate.COMPLETED
        case "unavailable":
            return Fate.NO_STOCK
        case "canceled":
            return Fate.NOT_CARRIED if is_approved else Fate.NOT_PAID
        case "invoiced" | "processing" | "approved":
            return Fate.PARCEL_AWAITED
        case "created":
            return Fate.PAYMENT_AWAITED
    raise DecodingError("order_status", f"{status!r} isn't known")
