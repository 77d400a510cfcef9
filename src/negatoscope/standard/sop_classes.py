"""SOP classes (PS3.4, PS3.6 §A): every storage class and the services by readable names."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from negatoscope.standard._generated import storage_constants as _storage
from negatoscope.standard._generated.storage_constants import *  # noqa: F403
from negatoscope.standard._generated.uid_registry import UID_REGISTRY

VERIFICATION = "1.2.840.10008.1.1"

# Query/Retrieve, PS3.4 Annex C and Annexes Y, Z.
PATIENT_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.1.2"
PATIENT_ROOT_GET = "1.2.840.10008.5.1.4.1.2.1.3"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
PATIENT_STUDY_ONLY_FIND = "1.2.840.10008.5.1.4.1.2.3.1"
PATIENT_STUDY_ONLY_MOVE = "1.2.840.10008.5.1.4.1.2.3.2"
PATIENT_STUDY_ONLY_GET = "1.2.840.10008.5.1.4.1.2.3.3"
COMPOSITE_INSTANCE_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.4.2"
COMPOSITE_INSTANCE_ROOT_GET = "1.2.840.10008.5.1.4.1.2.4.3"
COMPOSITE_INSTANCE_GET_WITHOUT_BULK_DATA = "1.2.840.10008.5.1.4.1.2.5.3"

# Storage Commitment, PS3.4 Annex J.
STORAGE_COMMITMENT_PUSH_MODEL = "1.2.840.10008.1.20.1"
STORAGE_COMMITMENT_PULL_MODEL = "1.2.840.10008.1.20.2"

# Worklist, procedure steps, PS3.4 Annexes F, K, CC.
MODALITY_WORKLIST_FIND = "1.2.840.10008.5.1.4.31"
MODALITY_PERFORMED_PROCEDURE_STEP = "1.2.840.10008.3.1.2.3.3"
MODALITY_PERFORMED_PROCEDURE_STEP_RETRIEVE = "1.2.840.10008.3.1.2.3.4"
MODALITY_PERFORMED_PROCEDURE_STEP_NOTIFICATION = "1.2.840.10008.3.1.2.3.5"
UPS_PUSH = "1.2.840.10008.5.1.4.34.6.1"
UPS_WATCH = "1.2.840.10008.5.1.4.34.6.2"
UPS_PULL = "1.2.840.10008.5.1.4.34.6.3"
UPS_EVENT = "1.2.840.10008.5.1.4.34.6.4"
UPS_QUERY = "1.2.840.10008.5.1.4.34.6.5"

# Notification, PS3.4 Annexes R and D (retired).
INSTANCE_AVAILABILITY_NOTIFICATION = "1.2.840.10008.5.1.4.33"
BASIC_STUDY_CONTENT_NOTIFICATION = "1.2.840.10008.1.9"

# Print Management, PS3.4 Annex H.
BASIC_FILM_SESSION = "1.2.840.10008.5.1.1.1"
BASIC_FILM_BOX = "1.2.840.10008.5.1.1.2"
BASIC_GRAYSCALE_IMAGE_BOX = "1.2.840.10008.5.1.1.4"
BASIC_COLOR_IMAGE_BOX = "1.2.840.10008.5.1.1.4.1"
BASIC_GRAYSCALE_PRINT_MANAGEMENT_META = "1.2.840.10008.5.1.1.9"
BASIC_COLOR_PRINT_MANAGEMENT_META = "1.2.840.10008.5.1.1.18"
PRINT_JOB = "1.2.840.10008.5.1.1.14"
BASIC_ANNOTATION_BOX = "1.2.840.10008.5.1.1.15"
PRINTER = "1.2.840.10008.5.1.1.16"
PRINTER_CONFIGURATION_RETRIEVAL = "1.2.840.10008.5.1.1.16.376"
VOI_LUT_BOX = "1.2.840.10008.5.1.1.22"
PRESENTATION_LUT = "1.2.840.10008.5.1.1.23"

#: The DICOMDIR itself: written on media (PS3.10 §8), never sent by the Storage service.
MEDIA_STORAGE_DIRECTORY = _storage.MEDIA_STORAGE_DIRECTORY_STORAGE


class SopClassKind(StrEnum):
    """Service that a SOP class belongs to."""

    VERIFICATION = "VERIFICATION"
    STORAGE = "STORAGE"
    NON_PATIENT_STORAGE = "NON PATIENT STORAGE"
    MEDIA = "MEDIA"
    STORAGE_COMMITMENT = "STORAGE COMMITMENT"
    QUERY_RETRIEVE = "QUERY RETRIEVE"
    WORKLIST = "WORKLIST"
    MPPS = "MPPS"
    UPS = "UPS"
    NOTIFICATION = "NOTIFICATION"
    PRINT = "PRINT"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class SopClass:
    """A SOP class or Meta SOP class of PS3.6 Table A-1."""

    uid: str
    name: str
    keyword: str
    kind: SopClassKind
    is_retired: bool


#: Objects that belong to no patient (PS3.4 Annex GG): no Study or Series Instance UID.
NON_PATIENT_STORAGE_SOP_CLASSES: frozenset[str] = frozenset(
    {
        _storage.HANGING_PROTOCOL_STORAGE,
        _storage.COLOR_PALETTE_STORAGE,
        _storage.GENERIC_IMPLANT_TEMPLATE_STORAGE,
        _storage.IMPLANT_ASSEMBLY_TEMPLATE_STORAGE,
        _storage.IMPLANT_TEMPLATE_GROUP_STORAGE,
        _storage.CT_DEFINED_PROCEDURE_PROTOCOL_STORAGE,
        _storage.XA_DEFINED_PROCEDURE_PROTOCOL_STORAGE,
        _storage.PROTOCOL_APPROVAL_STORAGE,
        _storage.INVENTORY_STORAGE,
    }
)

#: Every class of the Storage service (PS3.4 Annexes B and GG), retired ones included.
STORAGE_SOP_CLASSES: frozenset[str] = frozenset(
    value
    for name, value in vars(_storage).items()
    if name.isupper() and value != MEDIA_STORAGE_DIRECTORY
)

_KINDS = {
    VERIFICATION: SopClassKind.VERIFICATION,
    MEDIA_STORAGE_DIRECTORY: SopClassKind.MEDIA,
    STORAGE_COMMITMENT_PUSH_MODEL: SopClassKind.STORAGE_COMMITMENT,
    STORAGE_COMMITMENT_PULL_MODEL: SopClassKind.STORAGE_COMMITMENT,
    MODALITY_WORKLIST_FIND: SopClassKind.WORKLIST,
    INSTANCE_AVAILABILITY_NOTIFICATION: SopClassKind.NOTIFICATION,
    BASIC_STUDY_CONTENT_NOTIFICATION: SopClassKind.NOTIFICATION,
}
_KIND_PREFIXES = (
    ("1.2.840.10008.5.1.4.1.2.", SopClassKind.QUERY_RETRIEVE),
    ("1.2.840.10008.3.1.2.3.", SopClassKind.MPPS),
    ("1.2.840.10008.5.1.4.34.6.", SopClassKind.UPS),
    ("1.2.840.10008.5.1.1.", SopClassKind.PRINT),
)


def _kind(uid: str) -> SopClassKind:
    if uid in NON_PATIENT_STORAGE_SOP_CLASSES:
        return SopClassKind.NON_PATIENT_STORAGE
    if uid in STORAGE_SOP_CLASSES:
        return SopClassKind.STORAGE
    if uid in _KINDS:
        return _KINDS[uid]
    return next(
        (kind for prefix, kind in _KIND_PREFIXES if uid.startswith(prefix)), SopClassKind.OTHER
    )


SOP_CLASSES: Mapping[str, SopClass] = MappingProxyType(
    {
        uid: SopClass(uid=uid, name=name, keyword=keyword, kind=_kind(uid), is_retired=is_retired)
        for uid, (name, kind, keyword, is_retired) in UID_REGISTRY.items()
        if kind in {"SOP Class", "Meta SOP Class"}
    }
)


def sop_class_name(uid: str) -> str:
    """Name of a SOP class, the UID itself when it is private or unknown."""
    known = SOP_CLASSES.get(uid)
    return known.name if known is not None else uid
