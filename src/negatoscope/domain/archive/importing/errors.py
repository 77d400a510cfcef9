"""Why an import as a whole cannot go on."""

from __future__ import annotations


class ImportRunError(Exception):
    """Base of the errors of this package; the text is for the operator.

    Attributes:
        hint: what to try, or an empty string.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SourceMissing(ImportRunError):
    """A path to import does not exist or cannot be read."""


class ImportRunning(ImportRunError):
    """Another process imports the same paths at this moment."""


class ImportHalted(ImportRunError):
    """The archive takes nothing more: no room, or no index. Run again, the import continues."""
