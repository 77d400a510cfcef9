"""Patients as the hospital knows them: traits, identifiers with their authority, history.

The archive's own list of patients is what objects say; this one is what the admission office says.
An identifier without an assigning authority joins nothing.
"""

from negatoscope.domain.patients import ins
from negatoscope.domain.patients.dicom import DicomPatient, dicom_patient
from negatoscope.domain.patients.errors import (
    FileEnded,
    IdentifierTaken,
    MergeRefused,
    PatientError,
    SeveralPatients,
    SimilarPatients,
    UnclearAuthority,
    UnknownPatient,
)
from negatoscope.domain.patients.ins import status_of
from negatoscope.domain.patients.model import (
    Authority,
    Change,
    ChangeKind,
    HeldIdentifier,
    Identifier,
    IdentityStatus,
    Patient,
    PersonName,
    Traits,
)
from negatoscope.domain.patients.registry import Registered, Registry

__all__ = [
    "Authority",
    "Change",
    "ChangeKind",
    "DicomPatient",
    "FileEnded",
    "HeldIdentifier",
    "Identifier",
    "IdentifierTaken",
    "IdentityStatus",
    "MergeRefused",
    "Patient",
    "PatientError",
    "PersonName",
    "Registered",
    "Registry",
    "SeveralPatients",
    "SimilarPatients",
    "Traits",
    "UnclearAuthority",
    "UnknownPatient",
    "dicom_patient",
    "ins",
    "status_of",
]
