"""What was performed: Modality Performed Procedure Step (PS3.4 Annex F), studies bound to orders, the board."""

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

__all__ = [
    "Board",
    "BoardFilter",
    "BoardRow",
    "Changed",
    "Day",
    "Flag",
    "Place",
    "UnorderedStudy",
]
