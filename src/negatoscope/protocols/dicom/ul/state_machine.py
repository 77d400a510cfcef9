"""The DICOM upper layer protocol machine: PS3.8 §9.2, Table 9-10 as one dictionary.

Two rules keep it honest. The table is the standard's, cell for cell: a pair that is absent there
is absent here and is a `LocalProtocolError`. And what an action leads to is said once, in
`NEXT_STATE`; the two actions whose outcome depends on more than the cell (AE-6, AR-8) are given
that answer by their caller.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from negatoscope.protocols.dicom.ul.errors import LocalProtocolError


class State(StrEnum):
    """States of an association (PS3.8 Tables 9-1 to 9-5)."""

    STA1 = "Sta1"  # idle
    STA2 = "Sta2"  # transport open, awaiting A-ASSOCIATE-RQ
    STA3 = "Sta3"  # awaiting local A-ASSOCIATE response
    STA4 = "Sta4"  # awaiting the transport connection to open
    STA5 = "Sta5"  # awaiting A-ASSOCIATE-AC or -RJ
    STA6 = "Sta6"  # association established, ready for data
    STA7 = "Sta7"  # awaiting A-RELEASE-RP
    STA8 = "Sta8"  # awaiting local A-RELEASE response
    STA9 = "Sta9"  # release collision, requestor, awaiting local A-RELEASE response
    STA10 = "Sta10"  # release collision, acceptor, awaiting A-RELEASE-RP
    STA11 = "Sta11"  # release collision, requestor, awaiting A-RELEASE-RP
    STA12 = "Sta12"  # release collision, acceptor, awaiting local A-RELEASE response
    STA13 = "Sta13"  # awaiting the transport connection to close


class Event(StrEnum):
    """Events (PS3.8 Table 9-10, first column)."""

    EVT1 = "Evt1"  # A-ASSOCIATE request (local user)
    EVT2 = "Evt2"  # transport connection confirmed
    EVT3 = "Evt3"  # A-ASSOCIATE-AC PDU received
    EVT4 = "Evt4"  # A-ASSOCIATE-RJ PDU received
    EVT5 = "Evt5"  # transport connection indication
    EVT6 = "Evt6"  # A-ASSOCIATE-RQ PDU received
    EVT7 = "Evt7"  # A-ASSOCIATE response, accept (local user)
    EVT8 = "Evt8"  # A-ASSOCIATE response, reject (local user)
    EVT9 = "Evt9"  # P-DATA request (local user)
    EVT10 = "Evt10"  # P-DATA-TF PDU received
    EVT11 = "Evt11"  # A-RELEASE request (local user)
    EVT12 = "Evt12"  # A-RELEASE-RQ PDU received
    EVT13 = "Evt13"  # A-RELEASE-RP PDU received
    EVT14 = "Evt14"  # A-RELEASE response (local user)
    EVT15 = "Evt15"  # A-ABORT request (local user)
    EVT16 = "Evt16"  # A-ABORT PDU received
    EVT17 = "Evt17"  # transport connection closed
    EVT18 = "Evt18"  # ARTIM timer expired
    EVT19 = "Evt19"  # unrecognized or invalid PDU received


class Action(StrEnum):
    """Actions (PS3.8 Tables 9-6 to 9-9)."""

    AE1 = "AE-1"  # issue TRANSPORT CONNECT request
    AE2 = "AE-2"  # send A-ASSOCIATE-RQ
    AE3 = "AE-3"  # issue A-ASSOCIATE confirmation (accept)
    AE4 = "AE-4"  # issue A-ASSOCIATE confirmation (reject), close transport
    AE5 = "AE-5"  # issue transport response, start ARTIM
    AE6 = "AE-6"  # stop ARTIM; acceptable: A-ASSOCIATE indication, else send RJ, start ARTIM
    AE7 = "AE-7"  # send A-ASSOCIATE-AC
    AE8 = "AE-8"  # send A-ASSOCIATE-RJ, start ARTIM
    DT1 = "DT-1"  # send P-DATA-TF
    DT2 = "DT-2"  # issue P-DATA indication
    AR1 = "AR-1"  # send A-RELEASE-RQ
    AR2 = "AR-2"  # issue A-RELEASE indication
    AR3 = "AR-3"  # issue A-RELEASE confirmation, close transport
    AR4 = "AR-4"  # send A-RELEASE-RP, start ARTIM
    AR5 = "AR-5"  # stop ARTIM
    AR6 = "AR-6"  # issue P-DATA indication
    AR7 = "AR-7"  # send P-DATA-TF
    AR8 = "AR-8"  # issue A-RELEASE indication (collision)
    AR9 = "AR-9"  # send A-RELEASE-RP
    AR10 = "AR-10"  # issue A-RELEASE confirmation
    AA1 = "AA-1"  # send A-ABORT (service-user), start ARTIM
    AA2 = "AA-2"  # stop ARTIM, close transport
    AA3 = "AA-3"  # issue A-ABORT or A-P-ABORT indication, close transport
    AA4 = "AA-4"  # issue A-P-ABORT indication
    AA5 = "AA-5"  # stop ARTIM
    AA6 = "AA-6"  # ignore PDU
    AA7 = "AA-7"  # send A-ABORT
    AA8 = "AA-8"  # send A-ABORT (service-provider), issue A-P-ABORT indication, start ARTIM


S, E, A = State, Event, Action
_ESTABLISHED = (S.STA7, S.STA8, S.STA9, S.STA10, S.STA11, S.STA12)


def _row(event: Event, cells: Mapping[State, Action]) -> dict[tuple[State, Event], Action]:
    return {(state, event): action for state, action in cells.items()}


def _pdu_row(event: Event, **cells: Action) -> dict[tuple[State, Event], Action]:
    """A row of a received PDU: AA-1 in Sta2, AA-8 wherever a connection exists, AA-6 in Sta13."""
    usual = {S.STA2: A.AA1, S.STA3: A.AA8, S.STA5: A.AA8, S.STA6: A.AA8, S.STA13: A.AA6}
    usual |= dict.fromkeys(_ESTABLISHED, A.AA8)
    return _row(event, usual | {S[name]: action for name, action in cells.items()})


TRANSITIONS: Final[Mapping[tuple[State, Event], Action]] = MappingProxyType(
    _row(E.EVT1, {S.STA1: A.AE1})
    | _row(E.EVT2, {S.STA4: A.AE2})
    | _pdu_row(E.EVT3, STA5=A.AE3)
    | _pdu_row(E.EVT4, STA5=A.AE4)
    | _row(E.EVT5, {S.STA1: A.AE5})
    | _pdu_row(E.EVT6, STA2=A.AE6, STA13=A.AA7)
    | _row(E.EVT7, {S.STA3: A.AE7})
    | _row(E.EVT8, {S.STA3: A.AE8})
    | _row(E.EVT9, {S.STA6: A.DT1, S.STA8: A.AR7})
    | _pdu_row(E.EVT10, STA6=A.DT2, STA7=A.AR6)
    | _row(E.EVT11, {S.STA6: A.AR1})
    | _pdu_row(E.EVT12, STA6=A.AR2, STA7=A.AR8)
    | _pdu_row(E.EVT13, STA7=A.AR3, STA10=A.AR10, STA11=A.AR3)
    | _row(E.EVT14, {S.STA8: A.AR4, S.STA9: A.AR9, S.STA12: A.AR4})
    | _row(E.EVT15, {S.STA3: A.AA1, S.STA4: A.AA2, S.STA5: A.AA1, S.STA6: A.AA1})
    | _row(E.EVT15, dict.fromkeys(_ESTABLISHED, A.AA1))
    | _row(E.EVT16, {S.STA2: A.AA2, S.STA3: A.AA3, S.STA5: A.AA3, S.STA6: A.AA3, S.STA13: A.AA2})
    | _row(E.EVT16, dict.fromkeys(_ESTABLISHED, A.AA3))
    | _row(E.EVT17, {S.STA2: A.AA5, S.STA3: A.AA4, S.STA4: A.AA4, S.STA5: A.AA4, S.STA6: A.AA4})
    | _row(E.EVT17, dict.fromkeys(_ESTABLISHED, A.AA4) | {S.STA13: A.AR5})
    | _row(E.EVT18, {S.STA2: A.AA2, S.STA13: A.AA2})
    | _pdu_row(E.EVT19, STA13=A.AA7)
)
"""PS3.8 Table 9-10."""

NEXT_STATE: Final[Mapping[Action, State]] = MappingProxyType(
    {
        A.AE1: S.STA4,
        A.AE2: S.STA5,
        A.AE3: S.STA6,
        A.AE4: S.STA1,
        A.AE5: S.STA2,
        A.AE6: S.STA3,  # Sta13 when the provider refuses, see `next_state`
        A.AE7: S.STA6,
        A.AE8: S.STA13,
        A.DT1: S.STA6,
        A.DT2: S.STA6,
        A.AR1: S.STA7,
        A.AR2: S.STA8,
        A.AR3: S.STA1,
        A.AR4: S.STA13,
        A.AR5: S.STA1,
        A.AR6: S.STA7,
        A.AR7: S.STA8,
        A.AR8: S.STA10,  # Sta9 for the requestor, see `next_state`
        A.AR9: S.STA11,
        A.AR10: S.STA12,
        A.AA1: S.STA13,
        A.AA2: S.STA1,
        A.AA3: S.STA1,
        A.AA4: S.STA1,
        A.AA5: S.STA1,
        A.AA6: S.STA13,
        A.AA7: S.STA13,
        A.AA8: S.STA13,
    }
)
"""The state each action leads to (PS3.8 Tables 9-6 to 9-9)."""


def action_for(state: State, event: Event) -> Action:
    """The cell of Table 9-10.

    Raises:
        LocalProtocolError: The cell is empty.
    """
    action = TRANSITIONS.get((state, event))
    if action is None:
        raise LocalProtocolError(f"{event} is not possible in {state}")
    return action


def next_state(action: Action, *, is_requestor: bool = False, acceptable: bool = True) -> State:
    """The state after ``action``.

    Args:
        is_requestor: Our role, which decides AR-8.
        acceptable: Whether the provider found the A-ASSOCIATE-RQ acceptable, which decides AE-6.
    """
    if action is Action.AR8 and is_requestor:
        return State.STA9
    if action is Action.AE6 and not acceptable:
        return State.STA13
    return NEXT_STATE[action]
