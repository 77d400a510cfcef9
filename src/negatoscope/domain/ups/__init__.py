"""Unified procedure steps: one worklist for every wire (PS3.4 Annex CC, PS3.18 §11)."""

from negatoscope.domain.ups.delivery import Delivery
from negatoscope.domain.ups.errors import UpsError
from negatoscope.domain.ups.model import (
    FILTERED,
    GLOBAL,
    EventType,
    Transport,
    UpsEvent,
    Workitem,
)
from negatoscope.domain.ups.service import WITH_MODIFICATIONS, Done, Worklist
from negatoscope.domain.ups.states import ProcedureStepState
from negatoscope.domain.ups.subscriptions import Subscriptions

__all__ = [
    "FILTERED",
    "GLOBAL",
    "WITH_MODIFICATIONS",
    "Delivery",
    "Done",
    "EventType",
    "ProcedureStepState",
    "Subscriptions",
    "Transport",
    "UpsError",
    "UpsEvent",
    "Workitem",
    "Worklist",
]
