"""What was performed: Modality Performed Procedure Step (PS3.4 Annex F), studies bound to orders, the board."""

from negatoscope.domain.performed import actions
from negatoscope.domain.performed.action_errors import (
    ActionError,
    DeviceUnsuitable,
    IdentityUnchecked,
    NoteRefused,
    NothingToUndo,
    ReasonNeeded,
)
from negatoscope.domain.performed.actions import IdentityDocument
from negatoscope.domain.performed.board import (
    Board,
    BoardFilter,
    BoardRow,
    Changed,
    Day,
    Flag,
    Place,
    UnorderedStudy,
)
from negatoscope.domain.performed.examination import Examination, Examinations

__all__ = [
    "ActionError",
    "Board",
    "BoardFilter",
    "BoardRow",
    "Changed",
    "Day",
    "DeviceUnsuitable",
    "Examination",
    "Examinations",
    "Flag",
    "IdentityDocument",
    "IdentityUnchecked",
    "NoteRefused",
    "NothingToUndo",
    "Place",
    "ReasonNeeded",
    "UnorderedStudy",
    "actions",
]
