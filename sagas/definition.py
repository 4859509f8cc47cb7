"""How a saga is declared.

    @dataclass(frozen=True, kw_only=True)
    class OrderData:
        order_id: UUID
        total: Decimal
        payment_id: UUID | None = None

    class OrderSagaOrchestrator(Orchestrator):
        saga_type = "OrderProcessing"
        version = 1
        state = OrderData
        key = "order_id"
        starts_on = OrderPlaced
        undo_start = Compensation(command=CancelOrder, timeout_seconds=30)

        reserve = Step(
            command=ReserveInventory,
            on_success=InventoryReserved,
            on_rejection=InventoryReservationFailed,
            compensation=ReleaseInventory,
            timeout_seconds=30,
        )
        pay = Step(command=ProcessPayment, ..., learns=("payment_id",), timeout_seconds=600)
        ship = Step(command=ArrangeShipping, ..., pivot=True)
        complete = Step(command=CompleteOrder, retriable=True, timeout_seconds=30)

Compiled when the class is created. An instance runs to its end with the version that it began
with, so keep the old class beside the new one, of a higher version, until its instances have ended.
"""

from __future__ import annotations

from typing import Any, ClassVar

from events.bus.subscription import Start
from events.exceptions import RegistrationError
from events.messages import Command, DomainEvent

from .building import kinds_of
from .compiling import compile_plan
from .declarations import has_steps
from .plan import Plan
from .registry import definitions
from .step import Compensation


class Orchestrator:
    """Subclasses with a `saga_type` are registered; others are bases for them. A subclass of a
    definition has its steps too: one of the same name takes its place, None takes it away."""

    #: Written out; the same in all versions.
    saga_type: ClassVar[str]
    version: ClassVar[int] = 1
    #: A frozen dataclass: all that the commands of the steps are made from.
    state: ClassVar[type]
    #: Where in the log it begins to look, when it is run for the first time. Beware of an old log:
    #: from its beginning, a saga is started for all that ever happened.
    start: ClassVar[Start | int] = Start.BEGINNING
    #: Name of the field of `state` that tells instances apart, for ever.
    key: ClassVar[str]
    starts_on: ClassVar[type[DomainEvent] | type[Command]]

    #: Undoes what started the saga (cancels the order), after all steps are undone.
    undo_start: ClassVar[Compensation | type[Command] | None] = None

    plan: ClassVar[Plan]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        saga_type = getattr(cls, "saga_type", None)
        if saga_type is not None:
            cls.plan = compile_plan(cls, saga_type)
            definitions.register(cls.plan)
        elif has_steps(cls):
            raise RegistrationError(
                f"{cls.__qualname__} has steps but no name: write saga_type = '...' into it."
            )

    @classmethod
    def begin(cls, message: Any, key: str) -> Any:
        """The typed state at the start. Takes the fields that the message has by the same name;
        override it where there is more to do. `key` fills the field that it is named after."""
        kinds = kinds_of(cls.state)
        values = {name: getattr(message, name) for name in kinds if name in kinds_of(type(message))}
        values.setdefault(cls.key, kinds[cls.key].bare(key))
        return cls.state(**values)

    @classmethod
    def begins_by_name(cls) -> bool:
        return cls.begin.__func__ is Orchestrator.begin.__func__  # type: ignore[attr-defined]
