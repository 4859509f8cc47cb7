"""Everything that can go wrong in a saga, made to go wrong with the real handlers, case by case.

    @pytest.mark.django_db
    @pytest.mark.parametrize("fault", fault_matrix(OrderSagaOrchestrator), ids=str)
    def test_whatever_happens_stock_and_money_add_up(fault):
        fault.run(start=place_order, holds=[stock_adds_up, money_adds_up])

The cases follow from the declaration alone: see `testing.faults` for what there is. Nothing sleeps,
and nothing is left to chance.
"""

from __future__ import annotations

from .case import Ending, FaultCase, fault_matrix

__all__ = ["Ending", "FaultCase", "fault_matrix"]
