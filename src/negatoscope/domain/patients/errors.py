"""Refusals of the patient registry.

::

    PatientError
    ├── UnknownPatient     no patient has the number or the identifier
    ├── SeveralPatients    the identifiers given belong to different patients
    ├── IdentifierTaken    it belongs to another patient
    ├── MergeRefused       into itself, or in a circle
    ├── FileEnded          the file was merged into another one, or changed meanwhile
    ├── SimilarPatients    others have the same strict traits
    └── UnclearAuthority   no assigning authority, or a local name that several have

Messages carry our own numbers and identifiers' authorities, never a name or a birth date.
"""


class PatientError(Exception):
    """Base of this module's errors.

    Args:
        message: Lower case, no full stop.
        hint: What to try.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnknownPatient(PatientError):
    """No patient has the number or the identifier."""


class SeveralPatients(PatientError):
    """The identifiers given belong to different patients: a person must decide."""


class IdentifierTaken(PatientError):
    """It belongs to another patient."""


class MergeRefused(PatientError):
    """A patient cannot be merged into itself or into one that was merged into it."""


class UnclearAuthority(PatientError):
    """An identifier says not, or not clearly, who gave it: it can join nothing."""


class FileEnded(PatientError):
    """The file goes on as another patient's, or was changed since it was read."""


class SimilarPatients(PatientError):
    """Patients with the same strict traits are there already.

    Args:
        numbers: Theirs.
    """

    def __init__(self, numbers: tuple[int, ...]) -> None:
        super().__init__(
            "patients with the same name and birth date are known",
            hint="take one of them, or say that this is somebody else.",
        )
        self.numbers = numbers
