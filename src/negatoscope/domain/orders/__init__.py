"""Orders: what is asked for, by whom, why, and how far it is (PS3.3 §C.4.10 to §C.4.12).

`Orders` makes and changes them; `step_changed` is the one place where a step goes from state to
state; `safety` and `vetting` say what may hold it up; `record` writes the history.
"""

from negatoscope.domain.orders import groups, listing, safety, searching, vetting
from negatoscope.domain.orders.errors import (
    InvalidOrder,
    NumberTaken,
    OrderError,
    OrderOnHold,
    SafetyBlocked,
    StaleOrder,
    TransitionRefused,
    UnknownCatalogueEntry,
    UnknownOrder,
    VettingNeeded,
)
from negatoscope.domain.orders.events import KIND, WorkflowKind, record
from negatoscope.domain.orders.model import (
    Answer,
    Code,
    HistoryLine,
    NewOrder,
    NewProcedure,
    NewStep,
    Order,
    OrderDetails,
    Priority,
    Procedure,
    Question,
    SafetyAnswer,
    Step,
    Vetting,
)
from negatoscope.domain.orders.numbers import Numbering
from negatoscope.domain.orders.protocols import ProtocolChoice
from negatoscope.domain.orders.service import Created, Orders
from negatoscope.domain.orders.states import (
    PROCEDURE_TRANSITIONS,
    REQUEST_TRANSITIONS,
    STEP_TRANSITIONS,
    ProcedureState,
    RequestState,
    StepState,
)
from negatoscope.domain.orders.steps import step_changed

__all__ = [
    "KIND",
    "PROCEDURE_TRANSITIONS",
    "REQUEST_TRANSITIONS",
    "STEP_TRANSITIONS",
    "Answer",
    "Code",
    "Created",
    "HistoryLine",
    "InvalidOrder",
    "NewOrder",
    "NewProcedure",
    "NewStep",
    "NumberTaken",
    "Numbering",
    "Order",
    "OrderDetails",
    "OrderError",
    "OrderOnHold",
    "Orders",
    "Priority",
    "Procedure",
    "ProcedureState",
    "ProtocolChoice",
    "Question",
    "RequestState",
    "SafetyAnswer",
    "SafetyBlocked",
    "StaleOrder",
    "Step",
    "StepState",
    "TransitionRefused",
    "UnknownCatalogueEntry",
    "UnknownOrder",
    "Vetting",
    "VettingNeeded",
    "WorkflowKind",
    "groups",
    "listing",
    "record",
    "safety",
    "searching",
    "step_changed",
    "vetting",
]
