"""How far an order, a procedure of it and a step of that can be; one table for each."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class StepState(StrEnum):
    """Of a scheduled procedure step: (0040,0020) and what comes before and after it."""

    WAITING = "WAITING"
    """It has no time yet: on no worklist."""
    SCHEDULED = "SCHEDULED"
    ARRIVED = "ARRIVED"
    READY = "READY"
    """Identity checked, questions answered."""
    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"
    CANCELED = "CANCELED"


class ProcedureState(StrEnum):
    """Of a requested procedure."""

    REQUESTED = "REQUESTED"
    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"
    CANCELED = "CANCELED"
    REPLACED = "REPLACED"
    """A radiologist put another procedure in its place."""


class RequestState(StrEnum):
    """Of an imaging service request: what its procedures amount to, or that it is held."""

    REQUESTED = "REQUESTED"
    ON_HOLD = "ON HOLD"
    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"
    CANCELED = "CANCELED"


_S = StepState
STEP_TRANSITIONS: Final[Mapping[StepState, frozenset[StepState]]] = {
    _S.WAITING: frozenset({_S.SCHEDULED, _S.STARTED, _S.CANCELED}),
    _S.SCHEDULED: frozenset({_S.WAITING, _S.ARRIVED, _S.READY, _S.STARTED, _S.CANCELED}),
    _S.ARRIVED: frozenset({_S.SCHEDULED, _S.WAITING, _S.READY, _S.STARTED, _S.CANCELED}),
    _S.READY: frozenset({_S.ARRIVED, _S.WAITING, _S.STARTED, _S.CANCELED}),
    _S.STARTED: frozenset({_S.COMPLETED, _S.DISCONTINUED, _S.READY, _S.ARRIVED, _S.SCHEDULED}),
    _S.COMPLETED: frozenset({_S.STARTED}),
    _S.DISCONTINUED: frozenset({_S.STARTED, _S.WAITING}),
    _S.CANCELED: frozenset({_S.WAITING}),
}
"""Backwards is undo: an arrival, a start or an end said by mistake."""

_P = ProcedureState
PROCEDURE_TRANSITIONS: Final[Mapping[ProcedureState, frozenset[ProcedureState]]] = {
    _P.REQUESTED: frozenset({_P.SCHEDULED, _P.IN_PROGRESS, _P.CANCELED, _P.REPLACED}),
    _P.SCHEDULED: frozenset({_P.REQUESTED, _P.IN_PROGRESS, _P.CANCELED, _P.REPLACED}),
    _P.IN_PROGRESS: frozenset({_P.SCHEDULED, _P.REQUESTED, _P.COMPLETED, _P.DISCONTINUED}),
    _P.COMPLETED: frozenset({_P.IN_PROGRESS}),
    _P.DISCONTINUED: frozenset({_P.IN_PROGRESS, _P.REQUESTED}),
    _P.CANCELED: frozenset({_P.REQUESTED}),
    _P.REPLACED: frozenset(),
}

_R = RequestState
REQUEST_TRANSITIONS: Final[Mapping[RequestState, frozenset[RequestState]]] = {
    _R.REQUESTED: frozenset({_R.ON_HOLD, _R.SCHEDULED, _R.IN_PROGRESS, _R.CANCELED}),
    _R.ON_HOLD: frozenset({_R.REQUESTED, _R.SCHEDULED, _R.CANCELED}),
    _R.SCHEDULED: frozenset({_R.REQUESTED, _R.ON_HOLD, _R.IN_PROGRESS, _R.CANCELED}),
    _R.IN_PROGRESS: frozenset({_R.SCHEDULED, _R.REQUESTED, _R.COMPLETED, _R.DISCONTINUED}),
    _R.COMPLETED: frozenset({_R.IN_PROGRESS, _R.REQUESTED, _R.SCHEDULED}),
    _R.DISCONTINUED: frozenset({_R.IN_PROGRESS, _R.REQUESTED}),
    _R.CANCELED: frozenset({_R.REQUESTED}),
}
