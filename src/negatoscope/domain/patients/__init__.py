"""Patients as the hospital knows them: traits, identifiers with their authority, history.

The archive's own list of patients is what objects say; this one is what the admission office says.
An identifier without an assigning authority joins nothing.
"""

from negatoscope.domain.patients.errors import (
    IdentifierTaken,
    MergeRefused,
    PatientError,
    SeveralPatients,
    UnclearAuthority,
    UnknownPatient,
)
from negatoscope.domain.patients.model import (
    Authority,
    Change,
    ChangeKind,
    Identifier,
    Patient,
    PersonName,
    Traits,
)
from negatoscope.domain.patients.registry import Registered, Registry

__all__ = [
    "Authority",
    "Change",
    "ChangeKind",
    "Identifier",
    "IdentifierTaken",
    "MergeRefused",
    "Patient",
    "PatientError",
    "PersonName",
    "Registered",
    "Registry",
    "SeveralPatients",
    "Traits",
    "UnclearAuthority",
    "UnknownPatient",
]
