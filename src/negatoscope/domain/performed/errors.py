"""Refusals of bindings and links.

::

    BindingError
    ├── UnknownStudy        the archive has no such study, or nothing was decided about it
    ├── UnknownProcedure    no requested procedure has the number
    ├── UnknownPerformedStep, UnknownStep    likewise
    ├── PerformedStepChanged    since it was read
    ├── PerformedStepOver    it is not in progress
    ├── EndReasonNeeded     nobody says why it is discontinued
    └── OtherPatient        the study is another patient's than the procedure

Messages carry UIDs and our own numbers, never a name or a birth date.
"""


class BindingError(Exception):
    """Base of what is refused about a study's binding.

    Args:
        message: Lower case, no full stop.
        hint: What to try.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnknownStudy(BindingError):
    """The archive has no such study."""


class UnknownProcedure(BindingError):
    """No requested procedure has the number."""


class OtherPatient(BindingError):
    """The study is another patient's than the procedure, or nobody can say whose it is."""


class UnknownPerformedStep(BindingError):
    """No performed step has the number."""


class UnknownStep(BindingError):
    """No scheduled step has the number."""


class PerformedStepChanged(BindingError):
    """It was changed since it was read."""


class PerformedStepOver(BindingError):
    """It is not in progress."""


class EndReasonNeeded(BindingError):
    """Nobody says why it is discontinued."""
