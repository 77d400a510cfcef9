"""Cells of CSV files that spreadsheets open: none is taken for a formula, and each comes back as it was."""

import re
from typing import Final

_TAKEN_FOR_A_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED: Final = re.compile(r"'+[=+\-@\t\r\n]")


def guarded(cell: str) -> str:
    """The cell with an apostrophe before what a spreadsheet would take for a formula.

    A cell that looks guarded already gets one more, so that `unguarded` takes away no apostrophe of its own.
    """
    return f"'{cell}" if _TAKEN_FOR_A_FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """What was guarded: `unguarded(guarded(x)) == x`."""
    return cell[1:] if _GUARDED.match(cell) else cell
