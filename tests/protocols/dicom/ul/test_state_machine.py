"""PS3.8 Table 9-10, cell by cell, against a transcription of the printed table."""

import pytest

from negatoscope.protocols.dicom.ul.errors import LocalProtocolError
from negatoscope.protocols.dicom.ul.state_machine import (
    NEXT_STATE,
    TRANSITIONS,
    Action,
    Event,
    State,
    action_for,
    next_state,
)

STATES = [f"Sta{number}" for number in range(1, 14)]

# The rows of the table; a dash is an empty cell. Columns Sta1 … Sta13.
TABLE = """
Evt1  AE-1 -    -    -    -    -    -    -    -    -     -    -    -
Evt2  -    -    -    AE-2 -    -    -    -    -    -     -    -    -
Evt3  -    AA-1 AA-8 -    AE-3 AA-8 AA-8 AA-8 AA-8 AA-8  AA-8 AA-8 AA-6
Evt4  -    AA-1 AA-8 -    AE-4 AA-8 AA-8 AA-8 AA-8 AA-8  AA-8 AA-8 AA-6
Evt5  AE-5 -    -    -    -    -    -    -    -    -     -    -    -
Evt6  -    AE-6 AA-8 -    AA-8 AA-8 AA-8 AA-8 AA-8 AA-8  AA-8 AA-8 AA-7
Evt7  -    -    AE-7 -    -    -    -    -    -    -     -    -    -
Evt8  -    -    AE-8 -    -    -    -    -    -    -     -    -    -
Evt9  -    -    -    -    -    DT-1 -    AR-7 -    -     -    -    -
Evt10 -    AA-1 AA-8 -    AA-8 DT-2 AR-6 AA-8 AA-8 AA-8  AA-8 AA-8 AA-6
Evt11 -    -    -    -    -    AR-1 -    -    -    -     -    -    -
Evt12 -    AA-1 AA-8 -    AA-8 AR-2 AR-8 AA-8 AA-8 AA-8  AA-8 AA-8 AA-6
Evt13 -    AA-1 AA-8 -    AA-8 AA-8 AR-3 AA-8 AA-8 AR-10 AR-3 AA-8 AA-6
Evt14 -    -    -    -    -    -    -    AR-4 AR-9 -     -    AR-4 -
Evt15 -    -    AA-1 AA-2 AA-1 AA-1 AA-1 AA-1 AA-1 AA-1  AA-1 AA-1 -
Evt16 -    AA-2 AA-3 -    AA-3 AA-3 AA-3 AA-3 AA-3 AA-3  AA-3 AA-3 AA-2
Evt17 -    AA-5 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4  AA-4 AA-4 AR-5
Evt18 -    AA-2 -    -    -    -    -    -    -    -     -    -    AA-2
Evt19 -    AA-1 AA-8 -    AA-8 AA-8 AA-8 AA-8 AA-8 AA-8  AA-8 AA-8 AA-7
"""

# The "next state" of Tables 9-6 to 9-9; two entries where it depends on more than the action.
NEXT = """
AE-1 Sta4  AE-2 Sta5  AE-3 Sta6  AE-4 Sta1  AE-5 Sta2  AE-6 Sta3|Sta13  AE-7 Sta6  AE-8 Sta13
DT-1 Sta6  DT-2 Sta6
AR-1 Sta7  AR-2 Sta8  AR-3 Sta1  AR-4 Sta13  AR-5 Sta1  AR-6 Sta7  AR-7 Sta8  AR-8 Sta10|Sta9
AR-9 Sta11  AR-10 Sta12
AA-1 Sta13  AA-2 Sta1  AA-3 Sta1  AA-4 Sta1  AA-5 Sta1  AA-6 Sta13  AA-7 Sta13  AA-8 Sta13
"""

CELLS = [
    (event, state, cell)
    for event, *cells in (line.split() for line in TABLE.strip().splitlines())
    for state, cell in zip(STATES, cells, strict=True)
]


@pytest.mark.parametrize(("event", "state", "cell"), CELLS)
def test_cell(event: str, state: str, cell: str) -> None:
    """Every cell holds the standard's action; an empty one is a typed error."""
    if cell == "-":
        assert (State(state), Event(event)) not in TRANSITIONS
        with pytest.raises(LocalProtocolError, match=f"{event} is not possible in {state}"):
            action_for(State(state), Event(event))
    else:
        assert action_for(State(state), Event(event)) is Action(cell)


def test_table_is_complete() -> None:
    """19 events, 13 states, no cell beyond the table's."""
    assert len(CELLS) == 19 * 13
    assert len(TRANSITIONS) == sum(cell != "-" for _, _, cell in CELLS)


def test_next_states() -> None:
    """Every action leads where Tables 9-6 to 9-9 say."""
    words = NEXT.split()
    expected = dict(zip(words[::2], words[1::2], strict=True))
    assert set(expected) == set(Action)
    for action, states in expected.items():
        first, _, second = states.partition("|")
        assert NEXT_STATE[Action(action)] == first
        if action == "AE-6":
            assert next_state(Action.AE6, acceptable=False) == second
        elif action == "AR-8":
            assert next_state(Action.AR8, is_requestor=True) == second


def test_table_agrees_with_pynetdicom() -> None:
    """A stranger's transcription of the same table says the same."""
    fsm = pytest.importorskip("pynetdicom.fsm")
    theirs = {
        (state, event): action.replace("_", "-")
        for (event, state), action in fsm.TRANSITION_TABLE.items()
    }
    ours = {(str(state), str(event)): str(action) for (state, event), action in TRANSITIONS.items()}
    assert ours == theirs
