"""What can be done at the desk, what it would touch, what was done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class ActionKind(StrEnum):
    """What can be done."""

    MERGE = "MERGE"
    """Join two files; one goes on."""
    SPLIT = "SPLIT"
    """Part a file that was merged."""
    DISMISS = "DISMISS"
    """Say that two files are two persons."""
    MOVE = "MOVE"
    """Give studies to another patient than their objects name, or to one when they name nobody."""
    BIND = "BIND"
    """Bind a study to a requested procedure."""
    UNBIND = "UNBIND"
    PUT_ASIDE = "PUT ASIDE"
    """Say that a study belongs to no order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something to be done.

    Attributes:
        patient: MERGE: whose file goes on; MOVE: who gets the studies; DISMISS: one of the two.
        other: MERGE, SPLIT: whose file ends, or ended; DISMISS: the other one.
        traits: MERGE: attributes of `Traits` that the file that goes on takes from the other.
        studies: Study Instance UIDs of MOVE, BIND, UNBIND, PUT ASIDE.
        procedure: BIND: row of requested_procedure.
        is_patient_confirmed: BIND: seen that the study does not say clearly whose it is.
        reason: In words, for the journal.
    """

    kind: ActionKind
    patient: int | None = None
    other: int | None = None
    traits: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    procedure: int | None = None
    is_patient_confirmed: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an action would touch, found by doing it and taking it back.

    Attributes:
        token: To be given with the action: it is refused when things changed meanwhile.
        studies: Study Instance UIDs shown under another patient than before.
        orders: Accession numbers.
        appointments: Our numbers.
        worklist_entries: Scheduled Procedure Step IDs on a worklist now.
        performed_steps: How many.
        other_rows: Other rows that follow: table and how many.
        message_destinations: Names of destinations that would be told.
        changes: Names of traits of the file that goes on that change.
        warnings: Codes: ``ins-differs``, ``qualified-ends``, ``bindings-end``, …
    """

    token: str
    studies: tuple[str, ...]
    orders: tuple[str, ...]
    appointments: tuple[int, ...]
    worklist_entries: tuple[str, ...]
    performed_steps: int
    other_rows: Mapping[str, int]
    message_destinations: tuple[str, ...]
    changes: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A line of the journal.

    Attributes:
        asked: The action, as it was asked for.
        effect: What it did, and what was so before.
    """

    id: int
    kind: ActionKind
    done_at: datetime
    done_by: str
    reason: str
    asked: Mapping[str, Any]
    effect: Mapping[str, Any]
    undone_at: datetime | None
    undone_by: str
