"""Requirements on the attributes of a unified procedure step (PS3.4 Table CC.2.5-3).

One row for each attribute the table asks something of; attributes of the UPS IOD that it lists as
optional (type 3) are taken as they come. Attributes of code sequences are those of Table CC.2.5-2a.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from negatoscope.standard import tags


class Creation(StrEnum):
    """N-CREATE, what the SCU owes."""

    REQUIRED = "1"
    MAY_BE_EMPTY = "2"
    OPTIONAL = "3"
    EMPTY = "2, empty"
    FORBIDDEN = "not allowed"


class Setting(StrEnum):
    """N-SET."""

    ALLOWED = "3/1"
    MAY_BE_EMPTY = "3/2"
    FORBIDDEN = "not allowed"


class FinalState(StrEnum):
    """Final State Code (Table CC.2.5-1)."""

    REQUIRED = "R"
    COMPLETED = "P"
    CANCELED = "X"
    CONDITIONAL = "RC"
    OTHER = "O"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One row.

    Attributes:
        path: Keywords from the data set to the attribute, those of sequences before it.
        is_matching_key: Whether the SCP must match it (R).
    """

    path: tuple[str, ...]
    creation: Creation
    setting: Setting
    final: FinalState
    is_matching_key: bool

    @property
    def tags(self) -> tuple[str, ...]:
        """The path as ``GGGGEEEE``."""
        return tuple(f"{tags.tag_for_keyword(keyword):08X}" for keyword in self.path)


_C, _S, _F = Creation, Setting, FinalState
_ROWS: Final[tuple[tuple[str, Creation, Setting, FinalState, bool], ...]] = (
    # SOP Common Module
    ("TransactionUID", _C.EMPTY, _S.MAY_BE_EMPTY, _F.OTHER, False),
    ("SOPClassUID", _C.FORBIDDEN, _S.FORBIDDEN, _F.REQUIRED, True),
    ("SOPInstanceUID", _C.FORBIDDEN, _S.FORBIDDEN, _F.REQUIRED, True),
    # Scheduled Procedure Information Module
    ("ScheduledProcedureStepPriority", _C.REQUIRED, _S.ALLOWED, _F.REQUIRED, True),
    ("ScheduledProcedureStepModificationDateTime", _C.OPTIONAL, _S.ALLOWED, _F.REQUIRED, False),
    ("ProcedureStepLabel", _C.REQUIRED, _S.ALLOWED, _F.REQUIRED, True),
    ("WorklistLabel", _C.MAY_BE_EMPTY, _S.ALLOWED, _F.REQUIRED, True),
    ("ScheduledProcessingParametersSequence", _C.MAY_BE_EMPTY, _S.MAY_BE_EMPTY, _F.OTHER, False),
    ("ScheduledStationNameCodeSequence", _C.MAY_BE_EMPTY, _S.MAY_BE_EMPTY, _F.OTHER, True),
    ("ScheduledStationClassCodeSequence", _C.MAY_BE_EMPTY, _S.MAY_BE_EMPTY, _F.OTHER, True),
    ("ScheduledStationGeographicLocationCodeSequence", _C.MAY_BE_EMPTY, _S.MAY_BE_EMPTY,
     _F.OTHER, True),
    ("ScheduledHumanPerformersSequence", _C.OPTIONAL, _S.MAY_BE_EMPTY, _F.OTHER, True),
    ("ScheduledProcedureStepStartDateTime", _C.REQUIRED, _S.ALLOWED, _F.REQUIRED, True),
    ("ExpectedCompletionDateTime", _C.OPTIONAL, _S.ALLOWED, _F.OTHER, True),
    ("ScheduledProcedureStepExpirationDateTime", _C.OPTIONAL, _S.ALLOWED, _F.OTHER, True),
    ("ScheduledWorkitemCodeSequence", _C.MAY_BE_EMPTY, _S.ALLOWED, _F.OTHER, True),
    ("CommentsOnTheScheduledProcedureStep", _C.MAY_BE_EMPTY, _S.ALLOWED, _F.OTHER, False),
    ("InputReadinessState", _C.REQUIRED, _S.ALLOWED, _F.REQUIRED, True),
    ("InputInformationSequence", _C.MAY_BE_EMPTY, _S.MAY_BE_EMPTY, _F.OTHER, False),
    ("StudyInstanceUID", _C.OPTIONAL, _S.FORBIDDEN, _F.OTHER, False),
    # Relationship, Patient Demographic and Patient Medical Modules
    ("PatientName", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.OTHER, True),
    ("PatientID", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.OTHER, True),
    ("IssuerOfPatientID", _C.OPTIONAL, _S.FORBIDDEN, _F.OTHER, True),
    ("OtherPatientIDsSequence", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.OTHER, True),
    ("PatientBirthDate", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.OTHER, True),
    ("PatientSex", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.OTHER, True),
    ("AdmissionID", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.OTHER, True),
    ("IssuerOfAdmissionIDSequence", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.OTHER, True),
    ("AdmittingDiagnosesDescription", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.OTHER, False),
    ("AdmittingDiagnosesCodeSequence", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.OTHER, False),
    ("ReferencedRequestSequence", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.OTHER, True),
    ("ReplacedProcedureStepSequence", _C.OPTIONAL, _S.FORBIDDEN, _F.OTHER, True),
    # Progress Information Module
    ("ProcedureStepState", _C.REQUIRED, _S.FORBIDDEN, _F.REQUIRED, True),
    ("ProcedureStepProgressInformationSequence", _C.EMPTY, _S.MAY_BE_EMPTY, _F.CANCELED, False),
    ("ProcedureStepProgressInformationSequence/ProcedureStepCancellationDateTime", _C.FORBIDDEN,
     _S.ALLOWED, _F.CANCELED, False),
    ("ProcedureStepProgressInformationSequence/ProcedureStepDiscontinuationReasonCodeSequence",
     _C.FORBIDDEN, _S.ALLOWED, _F.CANCELED, False),
    # Performed Procedure Information Module
    ("UnifiedProcedureStepPerformedProcedureSequence", _C.EMPTY, _S.MAY_BE_EMPTY,
     _F.COMPLETED, False),
    ("UnifiedProcedureStepPerformedProcedureSequence/ActualHumanPerformersSequence",
     _C.FORBIDDEN, _S.ALLOWED, _F.CONDITIONAL, False),
    ("UnifiedProcedureStepPerformedProcedureSequence/PerformedStationNameCodeSequence",
     _C.FORBIDDEN, _S.MAY_BE_EMPTY, _F.COMPLETED, False),
    ("UnifiedProcedureStepPerformedProcedureSequence/PerformedProcedureStepStartDateTime",
     _C.FORBIDDEN, _S.ALLOWED, _F.COMPLETED, False),
    ("UnifiedProcedureStepPerformedProcedureSequence/PerformedWorkitemCodeSequence",
     _C.FORBIDDEN, _S.ALLOWED, _F.COMPLETED, False),
    ("UnifiedProcedureStepPerformedProcedureSequence/PerformedProcedureStepEndDateTime",
     _C.FORBIDDEN, _S.ALLOWED, _F.COMPLETED, False),
    ("UnifiedProcedureStepPerformedProcedureSequence/OutputInformationSequence",
     _C.FORBIDDEN, _S.MAY_BE_EMPTY, _F.OTHER, False),
)  # fmt: skip

REQUIREMENTS: Final = tuple(
    Requirement(
        path=tuple(path.split("/")),
        creation=creation,
        setting=setting,
        final=final,
        is_matching_key=is_matching_key,
    )
    for path, creation, setting, final, is_matching_key in _ROWS
)

ENUMERATED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "00741200": frozenset({"HIGH", "MEDIUM", "LOW"}),
        "00404041": frozenset({"INCOMPLETE", "UNAVAILABLE", "READY"}),
    }
)
"""Enumerated values of Scheduled Procedure Step Priority and Input Readiness State (PS3.3 §C.30)."""

STATE: Final = "00741000"
TRANSACTION_UID: Final = "00081195"
SOP_CLASS_UID: Final = "00080016"
SOP_INSTANCE_UID: Final = "00080018"
CHARACTER_SET: Final = "00080005"
INPUT_READINESS: Final = "00404041"
MODIFIED: Final = "00404010"
PROGRESS: Final = "00741002"
PERFORMED: Final = "00741216"
CANCELED_AT: Final = "00404052"
REASON_CODES: Final = "0074100E"
REASON: Final = "00741238"
CONTACT_URI: Final = "0074100A"
CONTACT_NAME: Final = "0074100C"
COMMUNICATIONS: Final = "00741008"
WORKLIST_LABEL: Final = "00741202"
STATION_NAMES: Final = "00404025"
HUMAN_PERFORMERS: Final = "00404034"
PERFORMER_CODES: Final = "00404009"
PERFORMER_ORGANIZATION: Final = "00404036"
RECEIVING_AE: Final = "00741234"
REQUESTING_AE: Final = "00741236"
DELETION_LOCK: Final = "00741230"
SCP_STATUS: Final = "00741242"
SUBSCRIPTION_LIST_STATUS: Final = "00741244"
UPS_LIST_STATUS: Final = "00741246"
