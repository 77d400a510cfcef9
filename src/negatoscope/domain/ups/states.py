"""States of a unified procedure step and what a request does in each (PS3.4 Tables CC.1.1-1, CC.1.1-2).

The tables are the behaviour; the service looks into them and nowhere else. A pair that is absent
from ``CHANGES`` cannot be asked for.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final


class ProcedureStepState(StrEnum):
    """Procedure Step State (0074,1000)."""

    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN PROGRESS"
    CANCELED = "CANCELED"
    COMPLETED = "COMPLETED"

    @property
    def is_final(self) -> bool:
        """Nothing changes any more."""
        return self in (ProcedureStepState.CANCELED, ProcedureStepState.COMPLETED)


class Outcome(IntEnum):
    """What a row of Table CC.1.1-2 says; a status, or zero where the change is made."""

    CHANGE = 0x0000
    ALREADY_CANCELED = 0xB304
    ALREADY_COMPLETED = 0xB306
    NO_LONGER_UPDATED = 0xC300
    WRONG_TRANSACTION_UID = 0xC301
    ALREADY_IN_PROGRESS = 0xC302
    SCHEDULED_BY_CREATION_ONLY = 0xC303
    UNKNOWN = 0xC307
    NOT_YET_IN_PROGRESS = 0xC310
    COMPLETED_ALREADY = 0xC311


_S, _I, _X, _C = ProcedureStepState
_Row = Mapping[ProcedureStepState, Outcome]


def _row(scheduled: Outcome, in_progress: Outcome, completed: Outcome, canceled: Outcome) -> _Row:
    """One row, in the order of the standard's columns."""
    return MappingProxyType({_S: scheduled, _I: in_progress, _C: completed, _X: canceled})


_WRONG: Final = Outcome.WRONG_TRANSACTION_UID
_ONLY: Final = Outcome.SCHEDULED_BY_CREATION_ONLY
_OVER: Final = Outcome.NO_LONGER_UPDATED
_WITHOUT: Final = _row(_WRONG, _WRONG, _WRONG, _WRONG)

CHANGES: Final[Mapping[tuple[ProcedureStepState, bool], _Row]] = MappingProxyType(
    {
        (_I, True): _row(Outcome.CHANGE, Outcome.ALREADY_IN_PROGRESS, _OVER, _OVER),
        (_I, False): _WITHOUT,
        (_S, True): _row(_ONLY, _ONLY, _ONLY, _ONLY),
        (_S, False): _row(_ONLY, _ONLY, _ONLY, _ONLY),
        (_C, True): _row(
            Outcome.NOT_YET_IN_PROGRESS, Outcome.CHANGE, Outcome.ALREADY_COMPLETED, _OVER
        ),
        (_C, False): _WITHOUT,
        (_X, True): _row(
            Outcome.NOT_YET_IN_PROGRESS, Outcome.CHANGE, _OVER, Outcome.ALREADY_CANCELED
        ),
        (_X, False): _WITHOUT,
    }
)
"""Change UPS State (§CC.2.1): by the state asked for and whether the Transaction UID is the right
one; of a SCHEDULED step every Transaction UID is, since it is what will lock it."""

CANCELLATIONS: Final[_Row] = _row(
    Outcome.CHANGE, Outcome.CHANGE, Outcome.COMPLETED_ALREADY, Outcome.ALREADY_CANCELED
)
"""Request UPS Cancel (§CC.2.2): a SCHEDULED step is canceled, the performer of another is told."""

UPDATES: Final[Mapping[bool, _Row]] = MappingProxyType(
    {
        True: _row(Outcome.NOT_YET_IN_PROGRESS, Outcome.CHANGE, _OVER, _OVER),
        False: _row(Outcome.CHANGE, _WRONG, _OVER, _OVER),
    }
)
"""Set (§CC.2.6): by whether the right Transaction UID is given; with a SCHEDULED step none is."""
