"""Refusals of what people say about steps.

::

    ActionError
    ├── IdentityUnchecked  nobody checked who the patient is, and no reason is given
    ├── ReasonNeeded       an examination is stopped without saying why
    ├── NoteRefused        a note is empty or too long, or there are many already
    ├── NothingToUndo      nothing was said yet
    └── DeviceUnsuitable   no such device in use, or of another modality

What orders refuse is theirs: `negatoscope.domain.orders.OrderError`.
"""


class ActionError(Exception):
    """Base of these.

    Args:
        message: Lower case, no full stop.
        hint: What to try.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class IdentityUnchecked(ActionError):
    """Nobody checked who the patient is, and no reason is given."""


class ReasonNeeded(ActionError):
    """An examination is stopped without saying why."""


class NoteRefused(ActionError):
    """A note is empty or too long, or there are many already."""


class NothingToUndo(ActionError):
    """Nothing was said yet."""


class DeviceUnsuitable(ActionError):
    """There is no such device in use, or it is of another modality."""
