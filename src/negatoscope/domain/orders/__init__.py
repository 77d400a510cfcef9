"""Orders: what is asked for, by whom, why, and how far it is (PS3.3 §C.4.10 to §C.4.12)."""

from negatoscope.domain.orders.events import KIND, WorkflowKind, record
from negatoscope.domain.orders.states import (
    PROCEDURE_TRANSITIONS,
    REQUEST_TRANSITIONS,
    STEP_TRANSITIONS,
    ProcedureState,
    RequestState,
    StepState,
)

__all__ = [
    "KIND",
    "PROCEDURE_TRANSITIONS",
    "REQUEST_TRANSITIONS",
    "STEP_TRANSITIONS",
    "ProcedureState",
    "RequestState",
    "StepState",
    "WorkflowKind",
    "record",
]
