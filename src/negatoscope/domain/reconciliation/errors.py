"""Refusals of the desk.

::

    ReconciliationError
    ├── ActionRefused    it cannot be done as things are
    ├── ChangedSince     what was previewed is not so any more
    ├── CannotUndo       what came after it must be taken back first
    └── UnknownAction    no such line in the journal

Messages carry our own numbers and UIDs, never a name or a birth date.
"""


class ReconciliationError(Exception):
    """Base of this module's errors.

    Args:
        message: Lower case, no full stop.
        hint: What to try.
        reason: A word that does not change, for who says it in another language.
    """

    def __init__(self, message: str, *, hint: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.reason = reason


class ActionRefused(ReconciliationError):
    """It cannot be done as things are."""


class ChangedSince(ReconciliationError):
    """What was previewed is not so any more."""


class CannotUndo(ReconciliationError):
    """What came after it must be taken back first."""


class UnknownAction(ReconciliationError):
    """No such line in the journal."""
