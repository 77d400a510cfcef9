"""DIMSE statuses: the codes, whose category they are, what they mean in each service.

Sources: PS3.7 Annex C (general), PS3.4 §B.2.3 (Storage), §C.4 (Query/Retrieve), §F.7 (MPPS),
§H.4 (Print), §J.3 (Storage Commitment), §K.4 (Worklist), §R.3 (Instance Availability), §CC.2
(UPS), §GG.4 (non-patient objects).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import MappingProxyType


class Status(IntEnum):
    """Codes that this product sends or tests for, by name."""

    SUCCESS = 0x0000
    REQUESTED_OPTIONAL_ATTRIBUTES_NOT_SUPPORTED = 0x0001
    NO_SUCH_ATTRIBUTE = 0x0105
    INVALID_ATTRIBUTE_VALUE = 0x0106
    ATTRIBUTE_LIST_ERROR = 0x0107
    PROCESSING_FAILURE = 0x0110
    DUPLICATE_SOP_INSTANCE = 0x0111
    NO_SUCH_OBJECT_INSTANCE = 0x0112
    NO_SUCH_EVENT_TYPE = 0x0113
    NO_SUCH_ARGUMENT = 0x0114
    INVALID_ARGUMENT_VALUE = 0x0115
    ATTRIBUTE_VALUE_OUT_OF_RANGE = 0x0116
    INVALID_OBJECT_INSTANCE = 0x0117
    NO_SUCH_SOP_CLASS = 0x0118
    CLASS_INSTANCE_CONFLICT = 0x0119
    MISSING_ATTRIBUTE = 0x0120
    MISSING_ATTRIBUTE_VALUE = 0x0121
    SOP_CLASS_NOT_SUPPORTED = 0x0122
    NO_SUCH_ACTION = 0x0123
    NOT_AUTHORIZED = 0x0124
    DUPLICATE_INVOCATION = 0x0210
    UNRECOGNIZED_OPERATION = 0x0211
    MISTYPED_ARGUMENT = 0x0212
    RESOURCE_LIMITATION = 0x0213
    OUT_OF_RESOURCES = 0xA700
    OUT_OF_RESOURCES_MATCHES = 0xA701
    OUT_OF_RESOURCES_SUB_OPERATIONS = 0xA702
    MOVE_DESTINATION_UNKNOWN = 0xA801
    DATA_SET_DOES_NOT_MATCH_SOP_CLASS = 0xA900
    COERCION_OF_DATA_ELEMENTS = 0xB000
    SUB_OPERATIONS_WITH_FAILURES = 0xB000
    MATCHES_LIMIT_REACHED = 0xB001
    ELEMENTS_DISCARDED = 0xB006
    DATA_SET_DOES_NOT_MATCH_SOP_CLASS_WARNING = 0xB007
    CANNOT_UNDERSTAND = 0xC000
    UNABLE_TO_PROCESS = 0xC000
    CANCEL = 0xFE00
    PENDING = 0xFF00
    PENDING_WARNING = 0xFF01


class StatusCategory(StrEnum):
    """Kind of a status (PS3.7 §C.1 to §C.5)."""

    SUCCESS = "SUCCESS"
    PENDING = "PENDING"
    CANCEL = "CANCEL"
    WARNING = "WARNING"
    FAILURE = "FAILURE"


class ServiceClass(StrEnum):
    """Service whose table gives a code its meaning."""

    VERIFICATION = "VERIFICATION"
    STORAGE = "STORAGE"
    NON_PATIENT_STORAGE = "NON PATIENT STORAGE"
    STORAGE_COMMITMENT = "STORAGE COMMITMENT"
    FIND = "FIND"
    MOVE = "MOVE"
    GET = "GET"
    WORKLIST = "WORKLIST"
    MPPS = "MPPS"
    INSTANCE_AVAILABILITY = "INSTANCE AVAILABILITY"
    UPS = "UPS"
    PRINT = "PRINT"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """A row of a status table: codes `first` to `last` inclusive."""

    first: int
    last: int
    category: StatusCategory
    meaning: str
    source: str


def _rows(
    source: str, category: StatusCategory, codes: Mapping[int | tuple[int, int], str]
) -> tuple[StatusRow, ...]:
    return tuple(
        StatusRow(
            first=code[0] if isinstance(code, tuple) else code,
            last=code[1] if isinstance(code, tuple) else code,
            category=category,
            meaning=meaning,
            source=source,
        )
        for code, meaning in codes.items()
    )


_SUCCESS = StatusCategory.SUCCESS
_PENDING = StatusCategory.PENDING
_CANCEL = StatusCategory.CANCEL
_WARNING = StatusCategory.WARNING
_FAILURE = StatusCategory.FAILURE

GENERAL_STATUSES: tuple[StatusRow, ...] = (
    *_rows("PS3.7 §C.1", _SUCCESS, {0x0000: "success"}),
    *_rows("PS3.7 §C.3", _CANCEL, {0xFE00: "cancelled"}),
    *_rows(
        "PS3.7 §C.4",
        _WARNING,
        {
            0x0001: "requested optional attributes are not supported",
            0x0107: "attribute list error",
            0x0116: "attribute value out of range",
        },
    ),
    *_rows(
        "PS3.7 §C.5",
        _FAILURE,
        {
            0x0105: "no such attribute",
            0x0106: "invalid attribute value",
            0x0110: "processing failure",
            0x0111: "duplicate SOP instance",
            0x0112: "no such object instance",
            0x0113: "no such event type",
            0x0114: "no such argument",
            0x0115: "invalid argument value",
            0x0117: "invalid object instance",
            0x0118: "no such SOP class",
            0x0119: "class-instance conflict",
            0x0120: "missing attribute",
            0x0121: "missing attribute value",
            0x0122: "refused: SOP class not supported",
            0x0123: "no such action type",
            0x0124: "refused: not authorized",
            0x0210: "duplicate invocation",
            0x0211: "unrecognized operation",
            0x0212: "mistyped argument",
            0x0213: "resource limitation",
        },
    ),
)

_STORAGE = (
    *_rows(
        "PS3.4 §B.2.3",
        _FAILURE,
        {
            (0xA700, 0xA7FF): "refused: out of resources",
            (0xA900, 0xA9FF): "data set does not match SOP class",
            (0xC000, 0xCFFF): "cannot understand",
        },
    ),
    *_rows(
        "PS3.4 §B.2.3",
        _WARNING,
        {
            0xB000: "coercion of data elements",
            0xB006: "elements discarded",
            0xB007: "data set does not match SOP class",
        },
    ),
)
_NON_PATIENT_STORAGE = _rows(
    "PS3.4 §GG.4.1",
    _FAILURE,
    {
        (0xA700, 0xA7FF): "refused: out of resources",
        (0xA900, 0xA9FF): "data set does not match SOP class",
        (0xC000, 0xCFFF): "cannot understand",
    },
)
_FIND = (
    *_rows(
        "PS3.4 §C.4.1.1.4",
        _FAILURE,
        {
            0xA700: "refused: out of resources",
            0xA710: "invalid prior record key",
            0xA900: "identifier does not match SOP class",
            (0xC000, 0xCFFF): "unable to process",
        },
    ),
    *_rows("PS3.4 §C.4.1.1.4", _WARNING, {0xB001: "matching reached the limit of responses"}),
    *_rows(
        "PS3.4 §C.4.1.1.4",
        _PENDING,
        {
            0xFF00: "matches are continuing",
            0xFF01: "matches are continuing, optional keys were not supported for existence",
        },
    ),
)
_RETRIEVE_FAILURES: dict[int | tuple[int, int], str] = {
    0xA701: "refused: out of resources, unable to calculate the number of matches",
    0xA702: "refused: out of resources, unable to perform sub-operations",
    0xA900: "identifier does not match SOP class",
    0xAA00: "none of the frames requested were found in the SOP instance",
    0xAA01: "unable to create a new object for this SOP class",
    0xAA02: "unable to extract frames",
    0xAA03: "time-based request for an instance that is not time-based",
    0xAA04: "invalid request",
    (0xC000, 0xCFFF): "unable to process",
}
_MOVE = (
    *_rows(
        "PS3.4 §C.4.2.1.5",
        _FAILURE,
        {**_RETRIEVE_FAILURES, 0xA801: "refused: move destination unknown"},
    ),
    *_rows("PS3.4 §C.4.2.1.5", _WARNING, {0xB000: "sub-operations complete, some failed"}),
    *_rows("PS3.4 §C.4.2.1.5", _PENDING, {0xFF00: "sub-operations are continuing"}),
)
_GET = (
    *_rows("PS3.4 §C.4.3.1.4", _FAILURE, _RETRIEVE_FAILURES),
    *_rows("PS3.4 §C.4.3.1.4", _WARNING, {0xB000: "sub-operations complete, some failed"}),
    *_rows("PS3.4 §C.4.3.1.4", _PENDING, {0xFF00: "sub-operations are continuing"}),
)
_WORKLIST = (
    *_rows(
        "PS3.4 §K.4.1.1.4",
        _FAILURE,
        {
            0xA700: "refused: out of resources",
            0xA900: "identifier does not match SOP class",
            (0xC000, 0xCFFF): "unable to process",
        },
    ),
    *_rows(
        "PS3.4 §K.4.1.1.4",
        _PENDING,
        {
            0xFF00: "matches are continuing",
            0xFF01: "matches are continuing, optional keys were not supported for existence",
        },
    ),
)
_MPPS = _rows(
    "PS3.4 §F.7.2.2.3",
    _FAILURE,
    {0x0110: "performed procedure step object may no longer be updated"},
)
_UPS = (
    *_rows(
        "PS3.4 §CC.2",
        _WARNING,
        {
            0xB300: "created or set with modifications",
            0xB301: "deletion lock not granted",
            0xB304: "already CANCELED",
            0xB305: "invalid values coerced to valid values",
            0xB306: "already COMPLETED",
        },
    ),
    *_rows(
        "PS3.4 §CC.2",
        _FAILURE,
        {
            0xA700: "refused: out of resources",
            0xA900: "identifier does not match SOP class",
            0xC300: "the UPS may no longer be updated",
            0xC301: "the correct Transaction UID was not provided",
            0xC302: "the UPS is already IN PROGRESS",
            0xC303: "the UPS may only become SCHEDULED by N-CREATE",
            0xC304: "the UPS does not meet the requirements of its final state",
            0xC307: "the instance does not exist or is not a UPS managed here",
            0xC308: "receiving AE title unknown",
            0xC309: "the state provided was not SCHEDULED",
            0xC310: "the UPS is not yet IN PROGRESS",
            0xC311: "the UPS is already COMPLETED",
            0xC312: "the performer cannot be contacted",
            0xC313: "the performer chooses not to cancel",
            0xC314: "the action is not appropriate for the instance",
            0xC315: "event reports are not supported",
            (0xC000, 0xCFFF): "unable to process",
        },
    ),
    *_rows(
        "PS3.4 §CC.2.8",
        _PENDING,
        {
            0xFF00: "matches are continuing",
            0xFF01: "matches are continuing, optional keys were not supported for existence",
        },
    ),
)
_PRINT = (
    *_rows(
        "PS3.4 §H.4",
        _WARNING,
        {
            0xB600: "memory allocation not supported",
            0xB601: "film session printing (collation) is not supported",
            0xB602: "the film session contains an empty page",
            0xB603: "the film box is an empty page",
            0xB604: "the image was demagnified to fit its box",
            0xB605: "requested density outside the printer's range",
            0xB609: "the image was cropped to fit its box",
            0xB60A: "the image was decimated to fit its box",
        },
    ),
    *_rows(
        "PS3.4 §H.4",
        _FAILURE,
        {
            0xC600: "the film session contains no film box",
            0xC601: "unable to create a print job, the queue is full",
            0xC602: "unable to create a print job, the queue is full",
            0xC603: "the image is larger than its box",
            0xC605: "insufficient memory in the printer",
            0xC613: "the combined print image is larger than its box",
            0xC616: "an earlier film box has not been printed",
        },
    ),
)

#: Rows of each service beside `GENERAL_STATUSES`; its own meaning goes before the general one.
SERVICE_STATUSES: Mapping[ServiceClass, tuple[StatusRow, ...]] = MappingProxyType(
    {
        ServiceClass.VERIFICATION: (),
        ServiceClass.STORAGE: _STORAGE,
        ServiceClass.NON_PATIENT_STORAGE: _NON_PATIENT_STORAGE,
        ServiceClass.STORAGE_COMMITMENT: (),
        ServiceClass.FIND: _FIND,
        ServiceClass.MOVE: _MOVE,
        ServiceClass.GET: _GET,
        ServiceClass.WORKLIST: _WORKLIST,
        ServiceClass.MPPS: _MPPS,
        ServiceClass.INSTANCE_AVAILABILITY: (),
        ServiceClass.UPS: _UPS,
        ServiceClass.PRINT: _PRINT,
    }
)


def category(code: int) -> StatusCategory:
    """Category of any code, known or not, by its range (PS3.7 §C.1 to §C.5)."""
    if code == 0x0000:
        return StatusCategory.SUCCESS
    if code in {0xFF00, 0xFF01}:
        return StatusCategory.PENDING
    if code == 0xFE00:
        return StatusCategory.CANCEL
    if code in {0x0001, 0x0107, 0x0116} or code >> 12 == 0xB:
        return StatusCategory.WARNING
    return StatusCategory.FAILURE


def status_row(code: int, service: ServiceClass | None = None) -> StatusRow | None:
    """The narrowest row for a code, the service's own before the general ones."""
    rows = (SERVICE_STATUSES[service] if service is not None else ()) + GENERAL_STATUSES
    matching = [row for row in rows if row.first <= code <= row.last]
    return min(matching, key=lambda row: row.last - row.first, default=None)


def meaning(code: int, service: ServiceClass | None = None) -> str:
    """What a code says, for logs and people."""
    row = status_row(code, service)
    return row.meaning if row is not None else f"{category(code).lower()}, code not in the tables"
